// The files of read_files: written once per process and size, removed when the process ends.
#pragma once

#include <cstdint>
#include <string>

namespace crossover {

// The folder with the files 0, 1, 2, ...; file n holds what the origin sends as item n
// (bench/origin/item_body.hpp). Lies where TMPDIR says. Throws `refused` when it cannot be written. Not
// thread-safe.
const std::string& folder_of_files(std::uint64_t files, std::uint64_t bytes);

}  // namespace crossover
