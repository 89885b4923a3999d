// The files of read_files and read_files_cold: written once per size and process, removed when the process
// ends. Where CROSSOVER_FILES names a folder they are written there, once for all processes that share it:
// all models then read the same pages of the page cache. Who made that folder removes it.
#pragma once

#include <cstdint>
#include <string>

namespace crossover {

// The folder with the files 0, 1, 2, ...; file n holds what the origin sends as item n
// (workloads/servers/origin/item_body.hpp). Lies where TMPDIR says. Throws `refused` when it cannot be
// written. Not thread-safe.
const std::string& folder_of_files(std::uint64_t files, std::uint64_t bytes);

// Has the kernel drop these files from its page cache: the next read of each asks the disk, or whatever cache
// the disk has. Throws not_supported where they stay in memory, as on a tmpfs. Not thread-safe.
void drop_from_page_cache(const std::string& folder, std::uint64_t files);

}  // namespace crossover
