// Refusals of the system, told with the limit that was reached and its present value.
#pragma once

namespace crossover {

// Throws `refused` when `error` says that no descriptor is left; else returns. `what` was tried.
void refuse_if_out_of_descriptors(int error, const char* what);

// Throws `refused` for an error of clone or fork: the limits of processes, threads and memory.
[[noreturn]] void refuse_worker(int error, const char* what);

}  // namespace crossover
