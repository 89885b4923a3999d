// contended_counter: what does mutual exclusion cost when everybody wants the same thing?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

// All items add to one plain counter, under a semaphore of one permit. The critical section never waits, so a
// model that switches only where it waits could do without the lock; it takes it all the same.
struct contended_counter {
    static constexpr std::string_view name = "contended_counter";
    static constexpr std::string_view question =
        "what does mutual exclusion cost when everybody wants the same thing?";
    static constexpr work_class kind = work_class::coordination;
    static constexpr std::string_view unit = "additions";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "the same additions in one thread, with no model";
    static constexpr std::array needs{verb::limit};

    struct params {
        std::uint64_t tasks, additions;  // of each task
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, 40'000},
                                       field<params>{"additions", &params::additions, 1, 100'000}};
    static constexpr std::array sizes{size<params>{{8, 100}, exhaustive}, size<params>{{8, 2'500}, quick},
                                      size<params>{{100, 1'000}, full},
                                      size<params>{{2, 50'000}, exhaustive}};

    struct output {
        std::uint64_t added;  // by this item
        std::uint64_t sum;    // of the counts that it saw after each of its additions
    };

    template <class C>
    struct shared {
        shared(const environment&, const params&) : lock(1) {}

        typename C::semaphore lock;
        std::uint64_t counter = 0;
    };

    static std::size_t items(const params& p) { return p.tasks; }
    static std::uint64_t units(const params& p) { return p.tasks * p.additions; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t) { lower_bound::additions(p.tasks * p.additions); }

    template <can_limit C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t, output& out) {
        output mine{0, 0};
        for (; mine.added < p.additions; ++mine.added) {
            const auto held = co_await with.lock.acquire(ctx);
            mine.sum += ++with.counter;
        }
        out = mine;
    }

    // Who saw which count differs from run to run.
    static output total(const params&, std::span<const output> outputs) {
        output all{0, 0};
        for (const output& one : outputs) all = {all.added + one.added, all.sum + one.sum};
        return all;
    }

    // Every count from 1 to the last was seen once; two additions at the same time would have seen the same.
    static std::string verify(const params& p, std::span<const output> outputs) {
        std::uint64_t seen = 0;
        for (const output& one : outputs) {
            if (one.added != p.additions)
                return "a task added " + std::to_string(one.added) + " times, not " +
                       std::to_string(p.additions);
            seen += one.sum;
        }
        const std::uint64_t last = p.tasks * p.additions;
        if (seen == last * (last + 1) / 2) return {};
        return "the counts from 1 to " + std::to_string(last) +
               " were not seen once each: additions were lost";
    }
};

}  // namespace crossover
