// blocking_in_loop: how much does it cost the others when some of many tasks block their thread?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/lessons/blocking_wait.hpp"

namespace crossover {

// All tasks wait as long. The first `blockers` of them do so by a call that the model does not know of, the
// others by the model's own sleep.
struct blocking_in_loop {
    static constexpr std::string_view name = "blocking_in_loop";
    static constexpr std::string_view question =
        "how much does it cost the others when some of many tasks block their thread?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "waits";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "delay";
    static constexpr std::array needs{verb::sleep};

    struct params {
        std::uint64_t tasks, blockers, delay_us;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"blockers", &params::blockers, 0, most_items},
                                       field<params>{"delay_us", &params::delay_us, 1, longest_wait_us}};
    static constexpr std::array sizes{
        size<params>{{10, 2, 1'000}, exhaustive}, size<params>{{100, 0, 2'000}, full},
        size<params>{{100, 1, 2'000}, full}, size<params>{{100, 10, 2'000}, full},
        size<params>{{100, 100, 2'000}, exhaustive}};

    static std::string wrong(const params& p) {
        if (p.blockers <= p.tasks) return {};
        return "blockers may be at most tasks, " + std::to_string(p.tasks);
    }

    struct output {
        std::uint64_t task, blocked;
    };

    template <class C>
    using shared = nothing_shared;

    static std::size_t items(const params& p) { return p.tasks; }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        return waits_in_turn(p.tasks, guaranteed_concurrency, p.delay_us);
    }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        const std::chrono::microseconds time(p.delay_us);
        if (i < p.blockers)
            blocking_wait(time);
        else
            co_await ctx.sleep_for(time);
        out = {i, i < p.blockers};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].task != i || outputs[i].blocked != (i < p.blockers ? 1 : 0))
                return "task " + std::to_string(i) + " did not wait as it should";
        return {};
    }
};

}  // namespace crossover
