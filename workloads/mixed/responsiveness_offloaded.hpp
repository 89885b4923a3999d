// responsiveness_offloaded: how late is a task that wants to run every millisecond while an executor does
// heavy work?
#pragma once

#include "workloads/mixed/responsiveness.hpp"

namespace crossover {

// As responsiveness, with the heavy work handed to the model's executor.
struct responsiveness_offloaded : responsiveness {
    static constexpr std::string_view name = "responsiveness_offloaded";
    static constexpr std::string_view question =
        "how late is a task that wants to run every millisecond while an executor does heavy work?";
    static constexpr std::array needs{verb::sleep, verb::offload};
    static constexpr std::array sizes{size<params>{{3, 10'000}, exhaustive},
                                      size<params>{{20, 300'000}, full}, size<params>{{10, 1'000'000}, full},
                                      size<params>{{10, 3'000'000}, exhaustive},
                                      size<params>{{100, 300'000}, exhaustive}};

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
        mine.end = kernels::lcg_steps(mine.seed, mine.steps);
    }
};

}  // namespace crossover
