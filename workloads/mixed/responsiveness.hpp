// responsiveness: how late is a task that wants to run every millisecond while heavy work goes on?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/mixed/heartbeat.hpp"
#include "workloads/support/kernels.hpp"
#include "workloads/support/lcg_jump.hpp"

namespace crossover {

// Item 0 is the heartbeat, the others compute where they run. The delays of all beats are the result.
struct responsiveness {
    static constexpr std::string_view name = "responsiveness";
    static constexpr std::string_view question =
        "how late is a task that wants to run every millisecond while heavy work goes on?";
    static constexpr work_class kind = work_class::mixed;
    static constexpr std::string_view unit = "heavy tasks";
    static constexpr metric decides = metric::latency;
    static constexpr std::string_view bound = "the same computing in one thread / cores";
    static constexpr std::array needs{verb::sleep};

    struct params {
        std::uint64_t tasks, steps;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"steps", &params::steps, 1, most_steps}};
    static constexpr std::array sizes{size<params>{{3, 10'000}, exhaustive},
                                      size<params>{{20, 300'000}, quick}, size<params>{{10, 1'000'000}, full},
                                      size<params>{{10, 3'000'000}, exhaustive},
                                      size<params>{{100, 300'000}, exhaustive}};

    struct output {
        std::uint64_t
            end;  // of the computing; of the heartbeat: how many tasks were still to end when it did
    };

    struct prepared : heartbeat {
        prepared(const environment&, const params&) {}
    };

    template <class C>
    struct shared {
        shared(const environment&, const params& p, prepared& with) : beats(with), left(p.tasks) {}

        heartbeat& beats;
        std::atomic<std::uint64_t> left;
    };

    static std::size_t items(const params& p) { return 1 + p.tasks; }
    static std::size_t alive_together(const params&) { return 2; }
    // The heartbeat would wait for an item that the system refused forever.
    static policy limits(const params&) { return policy(unlimited, until::first_error); }
    static std::uint64_t units(const params& p) { return p.tasks; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t cores) {
        kernels::lcg_steps(0, p.tasks * p.steps / std::min<std::uint64_t>(p.tasks, cores));
    }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        if (i == 0) {
            co_await with.beats.beat(ctx, with.left);
            out.end = with.left.load();
        } else {
            out.end = kernels::lcg_steps(i, p.steps);
            with.left.fetch_sub(1, std::memory_order_release);
        }
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const lcg_jump expected(p.steps);
        if (outputs[0].end != 0) return "the heartbeat ended before the heavy work";
        for (std::size_t i = 1; i < outputs.size(); ++i)
            if (outputs[i].end != expected(i))
                return "task " + std::to_string(i) + " did not compute its " + std::to_string(p.steps) +
                       " steps";
        return {};
    }
};

}  // namespace crossover
