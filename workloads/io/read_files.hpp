// read_files: does reading many files from the page cache gain from anything but cores?
#pragma once

#include <memory>

#include "workloads/contract/workload.hpp"
#include "workloads/io/file_set.hpp"
#include "workloads/servers/http/body_checksum.hpp"
#include "workloads/servers/origin/item_body.hpp"

namespace crossover {

// An item opens one file, reads all of it and adds up its bytes. The files have just been written: the page
// cache is warm, and no disk takes part.
struct read_files {
    static constexpr std::string_view name = "read_files";
    static constexpr std::string_view question =
        "does reading many files from the page cache gain from anything but cores?";
    static constexpr work_class kind = work_class::io;
    static constexpr std::string_view unit = "files";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array needs{verb::read};

    struct params {
        std::uint64_t files, bytes, in_flight;
    };
    static constexpr std::array fields{field<params>{"files", &params::files, 1, 100'000},
                                       field<params>{"bytes", &params::bytes, 1, largest_body_bytes},
                                       field<params>{"in_flight", &params::in_flight, 1, most_open}};
    static constexpr std::array sizes{
        size<params>{{20, 1'000, 4}, exhaustive}, size<params>{{1'000, 4'096, 64}, quick},
        size<params>{{1'000, 65'536, 64}, exhaustive}, size<params>{{50, 1'048'576, 16}, full},
        size<params>{{1'000, 1'048'576, 64}, exhaustive}};

    // On the disk, and in the page cache.
    static std::string wrong(const params& p) {
        if (p.files * p.bytes <= std::uint64_t{4} << 30) return {};
        return "files of bytes may be 4 GiB together";
    }

    struct output {
        std::uint64_t bytes, checksum;
    };

    struct prepared {
        prepared(const environment&, const params& p) {
            const std::string& text = folder_of_files(p.files, p.bytes);
            if (text.size() >= sizeof folder)
                throw refused("the path in TMPDIR is too long: choose a shorter one");
            text.copy(folder, text.size());
        }

        char folder[256] = {};  // in the arena, where forked workers see it
    };

    template <class C>
    struct shared {
        shared(const environment&, const params&, const prepared& with) : folder(with.folder) {}

        const char* folder;
    };

    static std::array<extent, 1> inputs(const params&, const prepared& with) {
        return {read_by_all(with.folder, sizeof with.folder)};
    }

    static std::size_t items(const params& p) { return p.files; }
    static policy limits(const params& p) { return policy(p.in_flight); }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    template <can_read C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        const std::string path = std::string(with.folder) + '/' + std::to_string(i);
        const auto buffer = std::make_unique_for_overwrite<std::byte[]>(p.bytes);
        const std::span<std::byte> into(buffer.get(), p.bytes);
        const std::size_t n = co_await ctx.read_file(path.c_str(), into);
        body_checksum sum;
        sum.add(into.first(n));
        out = {n, sum.value()};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].bytes != p.bytes || outputs[i].checksum != item_checksum(i, p.bytes))
                return "file " + std::to_string(i) + " gave " + std::to_string(outputs[i].bytes) +
                       " bytes, not " + std::to_string(p.bytes) + ", or other bytes";
        return {};
    }
};

}  // namespace crossover
