// sleepers: what does it cost to wait for many things at once?
#pragma once

#include "workloads/contract/workload.hpp"

namespace crossover {

struct sleepers {
    static constexpr std::string_view name = "sleepers";
    static constexpr std::string_view question = "what does it cost to wait for many things at once?";
    static constexpr work_class kind = work_class::io;
    static constexpr std::string_view unit = "waits";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "delay × ceil(tasks / in flight)";
    static constexpr std::array needs{verb::sleep};

    struct params {
        std::uint64_t tasks, delay_us, in_flight;
    };
    static constexpr std::array fields{
        field<params>{"tasks", &params::tasks, 1, most_items},
        field<params>{"delay_us", &params::delay_us, 1, longest_wait_us},
        field<params>{"in_flight", &params::in_flight, 1, most_items, &params::tasks}};
    static constexpr std::array sizes{
        size<params>{{20, 1'000, 20}, exhaustive},      size<params>{{100, 10'000, 100}, quick},
        size<params>{{100, 100'000, 100}, full},        size<params>{{1'000, 10'000, 1'000}, full},
        size<params>{{1'000, 10'000, 100}, exhaustive}, size<params>{{10'000, 50'000, 10'000}, quick},
        size<params>{{100'000, 100'000, 100'000}, full}};

    struct output {
        std::uint64_t woken;  // the index again: the item was there after its sleep
    };

    template <class C>
    using shared = nothing_shared;

    static std::size_t items(const params& p) { return p.tasks; }
    static policy limits(const params& p) { return policy(p.in_flight); }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        return waits_in_turn(p.tasks, std::min<std::uint64_t>(p.in_flight, guaranteed_concurrency),
                             p.delay_us);
    }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        co_await ctx.sleep_for(std::chrono::microseconds(p.delay_us));
        out.woken = i;
    }

    static std::string verify(const params&, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].woken != i) return "sleeper " + std::to_string(i) + " did not wake";
        return {};
    }
};

}  // namespace crossover
