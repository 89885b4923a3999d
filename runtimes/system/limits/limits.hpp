// Errors for what the system refuses, with the limit that was reached and its current value.
#pragma once

#include <cerrno>
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
    std::size_t guaranteed_concurrency;
    std::string limit;
};

// By whichever of memory, address space, mappings and threads is used up first.
waits_allowed waits_within_limits(const cost_of_waiting& cost);

// How much address space a thread of this process reserves for its stack, unless it is told otherwise.
std::size_t stack_bytes_of_threads();

// A filter around this process, as containers have one, or an older kernel does not give the system call. For
// calls that need no permission: then these errors have no other cause.
constexpr bool is_withheld(int error) { return error == ENOSYS || error == EPERM || error == EACCES; }

// `action` was tried, with the limit of open files where that is why it failed.
std::string with_descriptor_limit(const char* action, int error);

// Throws `refused` when `error` says that no descriptor is left; else returns. `action` was tried.
void refuse_if_out_of_descriptors(int error, const char* action);

// Throws `refused` for an error of clone or fork, with the limits where it may be one of them.
[[noreturn]] void refuse_worker(int error, const char* action);

// Throws `refused` unless this process may still map that much, which nothing is left of afterwards. For
// libraries that crash when a mapping of theirs fails. `action` is what needs it.
void need_address_space(std::size_t bytes, const std::string& action);

// Throws `refused` unless this process may have so many more threads at once, none of which is left
// afterwards. For libraries that start theirs where no error can come out. `action` is what needs them.
void need_threads(std::size_t count, const char* action);

}  // namespace crossover
