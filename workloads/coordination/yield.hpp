// yield: what does it cost to let another task go first?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

struct yield {
    static constexpr std::string_view name = "yield";
    static constexpr std::string_view question = "what does it cost to let another task go first?";
    static constexpr work_class kind = work_class::coordination;
    static constexpr std::string_view unit = "yields";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "a bare call for each yield / cores";
    static constexpr std::array needs{verb::yield};

    struct params {
        std::uint64_t tasks, yields;  // of each task
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"yields", &params::yields, 1, 10'000'000}};
    static constexpr std::array sizes{size<params>{{3, 10}, exhaustive}, size<params>{{2, 10'000}, quick},
                                      size<params>{{100, 1'000}, full},
                                      size<params>{{10'000, 10}, exhaustive}};

    struct output {
        std::uint64_t yielded, index;
    };

    template <class C>
    using shared = nothing_shared;

    static std::size_t items(const params& p) { return p.tasks; }
    static std::uint64_t units(const params& p) { return p.tasks * p.yields; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t cores) {
        lower_bound::calls(p.tasks * p.yields / std::min<std::uint64_t>(p.tasks, cores));
    }

    template <can_yield C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        std::uint64_t yielded = 0;
        for (; yielded < p.yields; ++yielded) co_await ctx.yield();
        out = {yielded, i};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].yielded != p.yields || outputs[i].index != i)
                return "task " + std::to_string(i) + " did not come back " + std::to_string(p.yields) +
                       " times";
        return {};
    }
};

}  // namespace crossover
