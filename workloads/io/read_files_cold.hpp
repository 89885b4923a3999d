// read_files_cold: what is gained by reading many files at once that are not in the page cache?
#pragma once

#include "workloads/io/read_files.hpp"

namespace crossover {

// As read_files, but the kernel drops the files from its page cache before each pass, outside of the measured
// time. Below it a disk, or the host of a virtual machine, may keep a cache of its own: nobody drops that.
// So it has no bound: one after the other, as serial reads them, says nothing of what a disk does at once.
struct read_files_cold : read_files {
    static constexpr std::string_view name = "read_files_cold";
    static constexpr std::string_view question =
        "what is gained by reading many files at once that are not in the page cache?";
    static constexpr std::string_view bound = "none: what the disk can do is not known";
    static constexpr std::array sizes{
        size<params>{{20, 1'000, 4}, exhaustive}, size<params>{{200, 4'096, 64}, full},
        size<params>{{1'000, 4'096, 64}, exhaustive}, size<params>{{1'000, 65'536, 64}, exhaustive},
        size<params>{{50, 1'048'576, 16}, exhaustive}};

    struct prepared : read_files::prepared {
        prepared(const environment& around, const params& p)
            : read_files::prepared(around, p), files(p.files) {
            drop_from_page_cache(folder, 1);  // shows whether that is possible here
        }

        void before_pass() const { drop_from_page_cache(folder, files); }

        std::uint64_t files;
    };
};

}  // namespace crossover
