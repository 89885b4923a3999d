// spawn: what does it cost to start one task and to wait for its end?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

// One item starts tasks that do next to nothing, each after the end of the one before, so that nothing is
// handed out in bulk.
struct spawn {
    static constexpr std::string_view name = "spawn";
    static constexpr std::string_view question =
        "what does it cost to start one task and to wait for its end?";
    static constexpr work_class kind = work_class::coordination;
    static constexpr std::string_view unit = "tasks";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "a bare call for each task";
    static constexpr std::array needs{verb::fork};

    struct params {
        std::uint64_t tasks;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items}};
    static constexpr std::array sizes{size<params>{{100}, exhaustive}, size<params>{{1'000}, full},
                                      size<params>{{10'000}, quick}, size<params>{{100'000}, exhaustive}};

    struct output {
        std::uint64_t ended, sum;  // tasks, and of their numbers
    };

    // Where a task finds its number and leaves its mark: one task at a time is alive.
    template <class C>
    struct shared {
        shared(const environment&, const params&) {}

        std::uint64_t number = 0;
        output seen{0, 0};
    };

    static std::size_t items(const params&) { return 1; }
    static std::uint64_t units(const params& p) { return p.tasks; }
    static std::uint64_t scheduled(const params& p) { return p.tasks + 1; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t) { lower_bound::calls(p.tasks); }

    template <can_fork C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t, output& out) {
        const policy rules;
        for (with.number = 0; with.number < p.tasks; ++with.number)
            co_await ctx.run(1, &task<C>, &with, rules);
        out = with.seen;
    }

    // One task after the other here, too.
    template <class R>
    static void from_caller(R& on, const params& p, shared<typename R::context>& with, output& out) {
        const std::array inputs{read_by_all(&with)};
        const std::array outputs{of_each(&with.seen)};
        for (with.number = 0; with.number < p.tasks; ++with.number)
            on.run(1, &task<typename R::context>, &with, policy{}, extents{inputs, outputs});
        out = with.seen;
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        if (outputs[0].ended != p.tasks)
            return std::to_string(outputs[0].ended) + " tasks ended, not " + std::to_string(p.tasks);
        if (outputs[0].sum != p.tasks * (p.tasks - 1) / 2) return "a task ran twice and another did not";
        return {};
    }

  private:
    template <class C>
    static typename C::task task(C&, const void* batch, std::size_t) {
        auto& with = *static_cast<shared<C>*>(const_cast<void*>(batch));
        ++with.seen.ended;
        with.seen.sum += with.number;
        return {};
    }
};

}  // namespace crossover
