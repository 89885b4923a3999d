// Refusals of the system, told with the limit that was reached and its present value.
#pragma once

#include <cstddef>
#include <string>

namespace crossover {

// How many things of `bytes` each fit into half of the memory that this process may use: the machine's or,
// where that is less, its cgroup's.
std::size_t fitting_in_memory(std::size_t bytes);

// Throws `refused` when `error` says that no descriptor is left; else returns. `what` was tried.
void refuse_if_out_of_descriptors(int error, const char* what);

// Throws `refused` for an error of clone or fork: the limits of processes, threads and memory.
[[noreturn]] void refuse_worker(int error, const char* what);

// Throws `refused` unless this process may still map that much, which nothing is left of afterwards. For
// libraries that crash when a mapping of theirs fails. `what` it is for.
void need_address_space(std::size_t bytes, const std::string& what);

// Throws `refused` unless this process may have so many more threads at once, none of which is left
// afterwards. For libraries that start theirs where no error can come out. `what` they are for.
void need_threads(std::size_t count, const char* what);

}  // namespace crossover
