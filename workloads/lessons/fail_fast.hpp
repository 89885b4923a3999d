// fail_fast: after the first failure, what do those cost that run on although nobody wants them any more?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/lessons/wait_counter.hpp"

namespace crossover {

// One of the tasks fails at the end of its wait. Under asyncio's gather the others run on and the error comes
// out when all have ended; a task group cancels what runs and starts no more.
struct fail_fast {
    static constexpr std::string_view name = "fail_fast";
    static constexpr std::string_view question =
        "after the first failure, what do those cost that run on although nobody wants them any more?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "batches";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "gather: delay × ceil(tasks / in flight); task group: delay";
    static constexpr std::array needs{verb::sleep, verb::fork};

    struct params {
        std::uint64_t tasks, failing, delay_us, in_flight, task_group;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"failing", &params::failing, 0, most_items},
                                       field<params>{"delay_us", &params::delay_us, 1, longest_wait_us},
                                       field<params>{"in_flight", &params::in_flight, 1, most_items},
                                       field<params>{"task_group", &params::task_group, 0, 1}};
    static constexpr std::array sizes{size<params>{{10, 3, 1'000, 5, 1}, exhaustive},
                                      size<params>{{100, 12, 2'000, 20, 0}, full},
                                      size<params>{{100, 12, 2'000, 20, 1}, quick}};

    // It is the number of the task that fails.
    static std::string wrong(const params& p) {
        if (p.failing < p.tasks) return {};
        return "failing must be less than tasks, " + std::to_string(p.tasks);
    }

    // `before`, `after`: tasks whose wait ended before and after the failure. What came after is wasted.
    struct output {
        std::uint64_t errors, before, after, begun, failed, cut;
    };

    template <class C>
    struct shared {
        shared(const environment&, const params& p) : rules(p) {}

        params rules;
        wait_counter waits;
        std::atomic<std::uint64_t> before{0};
    };

    static std::size_t items(const params&) { return 1; }
    static std::uint64_t units(const params&) { return 1; }
    static std::uint64_t scheduled(const params& p) { return 1 + p.tasks; }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        // When a model picks the one that fails is its own affair.
        const std::uint64_t tasks = p.task_group ? 1 : p.tasks;
        return waits_in_turn(tasks, std::min<std::uint64_t>(p.in_flight, guaranteed_concurrency), p.delay_us);
    }

    template <class C>
    requires can_sleep<C> && can_fork<C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t, output& out) {
        const policy rules(p.in_flight, p.task_group ? until::first_error : until::all_done);
        std::uint64_t errors = 0;
        try {
            co_await ctx.run(p.tasks, &task<C>, &with, rules);
        } catch (const item_error&) {
            ++errors;
        }
        const wait_counts seen = with.waits.seen();
        const std::uint64_t before = with.before.load();
        out = {errors, before, seen.waited - before, seen.begun, seen.failed, seen.cut};
    }

    // Which tasks a task group still starts differs from run to run.
    static std::uint64_t total(const params&, std::span<const output> outputs) {
        return outputs[0].errors + outputs[0].failed;
    }

    static std::array<note, 2> notes(const params&, std::span<const output> outputs) {
        return {note{"wasted", outputs[0].after}, note{"cut", outputs[0].cut}};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const output& seen = outputs[0];
        if (seen.errors != 1 || seen.failed != 1)
            return std::to_string(seen.failed) + " tasks failed and " + std::to_string(seen.errors) +
                   " errors came out, not 1 and 1";
        if (seen.begun != seen.before + seen.after + seen.failed + seen.cut || seen.begun > p.tasks)
            return std::to_string(seen.begun) + " tasks began, and not as many ended";
        if (!p.task_group && (seen.begun != p.tasks || seen.cut != 0))
            return "the failure stopped " + std::to_string(p.tasks - seen.begun + seen.cut) + " tasks";
        // How many run on in a task group is no matter of right or wrong: whoever fails may lose its core
        // before its model hears of it. That a failure stops the others is in the contract's tests.
        return {};
    }

  private:
    template <class C>
    static typename C::task task(C& ctx, const void* batch, std::size_t i) {
        auto& with = *static_cast<shared<C>*>(const_cast<void*>(batch));
        const std::chrono::microseconds time(with.rules.delay_us);
        co_await with.waits.wait(ctx, time);
        if (i == with.rules.failing) with.waits.fail();
        if (with.waits.seen().failed == 0) with.before.fetch_add(1);
    }
};

}  // namespace crossover
