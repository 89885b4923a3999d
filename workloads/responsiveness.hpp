// responsiveness: how late is a task that wants to run every millisecond while heavy work goes on?
#pragma once

#include "workloads/churned.hpp"
#include "workloads/heartbeat.hpp"
#include "workloads/kernels.hpp"
#include "workloads/workload.hpp"

namespace crossover {

// Item 0 is the heartbeat, the others compute where they run. The delays of all beats are the result.
struct responsiveness {
    static constexpr std::string_view name = "responsiveness";
    static constexpr std::string_view question =
        "how late is a task that wants to run every millisecond while heavy work goes on?";
    static constexpr work_class kind = work_class::mixed;
    static constexpr std::string_view unit = "heavy tasks";
    static constexpr metric decides = metric::latency;
    static constexpr std::string_view bound = "serial computing / cores";
    static constexpr std::array needs{verb::sleep};

    struct params {
        std::uint64_t tasks, steps;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks},
                                       field<params>{"steps", &params::steps}};
    static constexpr std::array sizes{size<params>{{3, 10'000}, exhaustive},
                                      size<params>{{20, 300'000}, quick}, size<params>{{10, 3'000'000}, full},
                                      size<params>{{100, 300'000}, full}};

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
    static std::uint64_t units(const params& p) { return p.tasks; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        if (i == 0) {
            co_await with.beats.beat(ctx, with.left);
            out.end = with.left.load();
        } else {
            out.end = kernels::churn(i, p.steps);
            with.left.fetch_sub(1, std::memory_order_release);
        }
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const churned expected(p.steps);
        if (outputs[0].end != 0) return "the heartbeat ended before the heavy work";
        for (std::size_t i = 1; i < outputs.size(); ++i)
            if (outputs[i].end != expected(i))
                return "task " + std::to_string(i) + " did not compute its " + std::to_string(p.steps) +
                       " steps";
        return {};
    }
};

// The same, with the heavy work handed to the model's executor.
struct responsiveness_offloaded : responsiveness {
    static constexpr std::string_view name = "responsiveness_offloaded";
    static constexpr std::string_view question =
        "how late is a task that wants to run every millisecond while an executor does heavy work?";
    static constexpr std::array needs{verb::sleep, verb::offload};

    // Of one heavy task; in the arena, where the executor's processes see it, too.
    struct order {
        std::uint64_t seed, steps, end;
    };

    template <class C>
    struct shared : responsiveness::shared<C> {
        shared(const environment& around, const params& p, prepared& with)
            : responsiveness::shared<C>(around, p, with),
              orders(around.memory.template make_array<order>(1 + p.tasks)) {}

        std::span<order> orders;
    };

    template <class C>
    requires can_sleep<C> && can_offload<C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        if (i == 0) {
            co_await with.beats.beat(ctx, with.left);
            out.end = with.left.load();
        } else {
            order& mine = with.orders[i];
            mine = {i, p.steps, 0};
            co_await ctx.offload(&compute, &mine);
            out.end = mine.end;
            with.left.fetch_sub(1, std::memory_order_release);
        }
    }

  private:
    static void compute(void* heavy) {
        auto& mine = *static_cast<order*>(heavy);
        mine.end = kernels::churn(mine.seed, mine.steps);
    }
};

}  // namespace crossover
