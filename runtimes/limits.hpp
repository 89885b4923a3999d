// Refusals of the system, told with the limit that was reached and its present value.
#pragma once

#include <cstddef>
#include <string>

namespace crossover {

// What one item takes while it waits.
struct cost_of_waiting {
    std::size_t bytes;  // of memory
    std::size_t address_bytes = 0;
    std::size_t mappings = 0;
    std::size_t threads = 0;
};

// How many items can surely wait at once, and the limit that sets it, in words.
struct waits_allowed {
    std::size_t at_once;
    std::string limit;
};

// By whichever of memory, address space, mappings and threads is used up first.
waits_allowed waits_within_limits(const cost_of_waiting& of_one);

// Throws `refused` when `error` says that no descriptor is left; else returns. `what` was tried.
void refuse_if_out_of_descriptors(int error, const char* what);

// Throws `refused` for an error of clone or fork, with the limits where it may be one of them.
[[noreturn]] void refuse_worker(int error, const char* what);

// Throws `refused` unless this process may still map that much, which nothing is left of afterwards. For
// libraries that crash when a mapping of theirs fails. `what` it is for.
void need_address_space(std::size_t bytes, const std::string& what);

// Throws `refused` unless this process may have so many more threads at once, none of which is left
// afterwards. For libraries that start theirs where no error can come out. `what` they are for.
void need_threads(std::size_t count, const char* what);

}  // namespace crossover
