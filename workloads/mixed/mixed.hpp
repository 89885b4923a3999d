// mixed: where waiting and computing meet, how much of which makes which model the right one?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/kernels.hpp"
#include "workloads/support/lcg_jump.hpp"

namespace crossover {

// Each item waits, as for a reply, then computes. The computing is a number of steps of kernels::lcg_steps (a
// million take about 1.2 ms), so that it is the same work for every model, however busy the machine.
struct mixed {
    static constexpr std::string_view name = "mixed";
    static constexpr std::string_view question =
        "where waiting and computing meet, how much of which makes which model the right one?";
    static constexpr work_class kind = work_class::mixed;
    static constexpr std::string_view unit = "items";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound =
        "the longer of wait × ceil(tasks / in flight) and serial computing / cores";
    static constexpr std::array needs{verb::sleep};

    struct params {
        std::uint64_t tasks, wait_us, steps, in_flight;
    };
    static constexpr std::array fields{
        field<params>{"tasks", &params::tasks, 1, most_items},
        field<params>{"wait_us", &params::wait_us, 0, longest_wait_us},
        field<params>{"steps", &params::steps, 0, most_steps},
        field<params>{"in_flight", &params::in_flight, 1, most_items, &params::tasks}};
    // Of 100 and of 1'000 tasks full has every wait with every length of computing: the grid of the regime
    // map.
    static constexpr std::array sizes{size<params>{{20, 1'000, 1'000, 20}, exhaustive},
                                      size<params>{{100, 0, 10'000, 100}, full},
                                      size<params>{{100, 1'000, 10'000, 100}, quick},
                                      size<params>{{100, 10'000, 10'000, 100}, full},
                                      size<params>{{100, 0, 100'000, 100}, full},
                                      size<params>{{100, 1'000, 100'000, 100}, quick},
                                      size<params>{{100, 10'000, 100'000, 100}, full},
                                      size<params>{{100, 0, 300'000, 100}, full},
                                      size<params>{{100, 1'000, 300'000, 100}, full},
                                      size<params>{{100, 10'000, 300'000, 100}, full},
                                      size<params>{{100, 1'000, 1'000'000, 100}, exhaustive},
                                      size<params>{{1'000, 1'000, 100'000, 1'000}, exhaustive},
                                      size<params>{{100, 10'000, 0, 100}, exhaustive},
                                      size<params>{{100, 100, 1'000, 100}, exhaustive},
                                      size<params>{{100, 1'000, 1'000, 100}, exhaustive},
                                      size<params>{{100, 10'000, 1'000, 100}, exhaustive},
                                      size<params>{{1'000, 0, 1'000, 1'000}, full},
                                      size<params>{{1'000, 1'000, 1'000, 1'000}, full},
                                      size<params>{{1'000, 10'000, 1'000, 1'000}, full},
                                      size<params>{{1'000, 0, 10'000, 1'000}, full},
                                      size<params>{{1'000, 1'000, 10'000, 1'000}, full},
                                      size<params>{{1'000, 10'000, 10'000, 1'000}, full},
                                      size<params>{{1'000, 0, 30'000, 1'000}, full},
                                      size<params>{{1'000, 1'000, 30'000, 1'000}, full},
                                      size<params>{{1'000, 10'000, 30'000, 1'000}, full},
                                      size<params>{{10'000, 10'000, 1'000, 10'000}, full},
                                      size<params>{{10, 10'000, 10'000'000, 10}, exhaustive},
                                      size<params>{{1, 10'000, 10'000'000, 1}, exhaustive}};

    struct output {
        std::uint64_t end;
    };

    template <class C>
    using shared = nothing_shared;

    static std::size_t items(const params& p) { return p.tasks; }
    static policy limits(const params& p) { return policy(p.in_flight); }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        return waits_in_turn(p.tasks, std::min<std::uint64_t>(p.in_flight, guaranteed_concurrency),
                             p.wait_us);
    }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        if (p.wait_us != 0) co_await ctx.sleep_for(std::chrono::microseconds(p.wait_us));
        out.end = kernels::lcg_steps(i, p.steps);
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const lcg_jump expected(p.steps);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].end != expected(i))
                return "item " + std::to_string(i) + " did not compute its " + std::to_string(p.steps) +
                       " steps";
        return {};
    }
};

}  // namespace crossover
