// Reading a file with plain system calls, for the models whose items may block.
#pragma once

#include <cstddef>
#include <span>

namespace crossover::files {

// Opens the file for reading; the caller closes it. Throws `refused` at the limit of open files, else
// std::system_error with the path.
int open(const char* path);

// Reads the first bytes of the file until `into` is full or the file ends; how many were read.
// Throws as open().
std::size_t read(const char* path, std::span<std::byte> into);

}  // namespace crossover::files
