// blocking_call: how well does a model live with a library that only blocks?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/lessons/blocking_wait.hpp"

namespace crossover {

// The library is called where the items run: as many calls proceed together as the model has threads.
struct blocking_call {
    static constexpr std::string_view name = "blocking_call";
    static constexpr std::string_view question =
        "how well does a model live with a library that only blocks?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "calls";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "block";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t calls, block_us;
    };
    static constexpr std::array fields{field<params>{"calls", &params::calls, 1, most_items},
                                       field<params>{"block_us", &params::block_us, 1, longest_wait_us}};
    static constexpr std::array sizes{size<params>{{10, 1'000}, exhaustive}, size<params>{{64, 2'000}, full},
                                      size<params>{{256, 10'000}, exhaustive}};

    struct output {
        std::uint64_t call, asked_us, done_us;
    };

    static std::size_t items(const params& p) { return p.calls; }
    static std::uint64_t least_ns(const params& p, std::size_t) { return p.block_us * 1000; }

    static void item(const params& p, std::size_t i, output& out) {
        out = {i, p.block_us, 0};
        library(&out);
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].call != i || outputs[i].asked_us != p.block_us || outputs[i].done_us != p.block_us)
                return "call " + std::to_string(i) + " blocked for " + std::to_string(outputs[i].done_us) +
                       " µs, not " + std::to_string(p.block_us);
        return {};
    }

    // The library: `call` is an output, which lies where all threads and processes see it.
    static void library(void* call) {
        auto& mine = *static_cast<output*>(call);
        blocking_wait(std::chrono::microseconds(mine.asked_us));
        mine.done_us = mine.asked_us;
    }
};

}  // namespace crossover
