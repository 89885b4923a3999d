// granularity: how small may a task be before handing it out costs more than doing it?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/kernels.hpp"
#include "workloads/support/lcg_jump.hpp"

namespace crossover {

// Bodies from nothing to about 1.2 ms, in steps of kernels::lcg_steps. Over its sizes a model shows its METG,
// the body with which it still computes half as fast as with its best one.
struct granularity {
    static constexpr std::string_view name = "granularity";
    static constexpr std::string_view question =
        "how small may a task be before handing it out costs more than doing it?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "tasks";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t tasks, steps;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"steps", &params::steps, 0, most_steps}};
    static constexpr std::array sizes{
        size<params>{{50, 10}, exhaustive},   size<params>{{10'000, 0}, full},
        size<params>{{10'000, 100}, full},    size<params>{{10'000, 300}, exhaustive},
        size<params>{{10'000, 1'000}, quick}, size<params>{{3'000, 3'000}, exhaustive},
        size<params>{{1'000, 10'000}, full},  size<params>{{300, 30'000}, exhaustive},
        size<params>{{100, 100'000}, full},   size<params>{{16, 1'000'000}, full}};

    struct output {
        std::uint64_t end;
    };

    static std::size_t items(const params& p) { return p.tasks; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static void item(const params& p, std::size_t i, output& out) {
        out.end = kernels::lcg_steps(i, p.steps);
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const lcg_jump expected(p.steps);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].end != expected(i))
                return "task " + std::to_string(i) + " did not do its " + std::to_string(p.steps) + " steps";
        return {};
    }
};

}  // namespace crossover
