// idle_tasks: how much memory does a task hold while it only waits?
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include "workloads/contract/workload.hpp"

namespace crossover {

// All tasks wait until the last of them has begun and `hold` has passed since; all are due at the same
// instant. The peak of resident memory over their number is what a waiting task costs; 16 bytes of it are the
// suite's own record of the task.
struct idle_tasks {
    static constexpr std::string_view name = "idle_tasks";
    static constexpr std::string_view question = "how much memory does a task hold while it only waits?";
    static constexpr work_class kind = work_class::memory;
    static constexpr std::string_view unit = "tasks";
    static constexpr metric decides = metric::memory;
    static constexpr std::string_view bound = "hold";
    static constexpr std::array needs{verb::sleep};
    static constexpr bool fresh_process = true;

    struct params {
        std::uint64_t tasks, hold_us;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, most_items},
                                       field<params>{"hold_us", &params::hold_us, 1, longest_wait_us}};
    static constexpr std::array sizes{
        size<params>{{2, 1'000}, exhaustive},      size<params>{{1'000, 20'000}, quick},
        size<params>{{10'000, 100'000}, full},     size<params>{{30'000, 300'000}, exhaustive},
        size<params>{{100'000, 500'000}, full},    size<params>{{300'000, 1'000'000}, exhaustive},
        size<params>{{1'000'000, 1'000'000}, full}};

    struct output {
        std::uint64_t company;  // how many tasks had begun when this one ended
    };

    // When the tasks of the last pass began and ended, in nanoseconds of the steady clock.
    struct prepared {
        prepared(const environment&, const params& p) : hold(p.hold_us * 1000) {}

        // From the call of run() until all had begun; and from when all were due until the last had ended.
        std::array<note, 2> notes() const {
            return {note{"start_ns", all_begun.load() - called},
                    note{"end_ns", last_ended - all_begun.load() - hold}};
        }

        std::uint64_t hold, called = 0, last_ended = 0;
        std::atomic<std::uint64_t> all_begun{0};
    };

    template <class C>
    struct shared {
        shared(const environment&, const params&, prepared& with) : times(with) {
            times.called = now();
            times.all_begun.store(0);
        }

        // How long a task has still to sleep. As long as others have not begun it can only wait on, ever
        // longer: a model that takes more than `hold` to start them would else be kept from it forever by
        // those that wake in vain.
        std::chrono::nanoseconds rest() const {
            const std::uint64_t all = times.all_begun.load(std::memory_order_acquire), time = now();
            return std::chrono::nanoseconds(all != 0 ? std::max(all + times.hold, time) - time
                                                     : std::max(times.hold, (time - times.called) / 2));
        }

        prepared& times;
        std::atomic<std::uint64_t> begun{0}, ended{0};
    };

    static std::size_t items(const params& p) { return p.tasks; }
    static std::size_t alive_together(const params& p) { return p.tasks; }
    // The others would wait for an item that the system refused forever.
    static policy limits(const params&) { return policy(unlimited, until::first_error); }
    static std::uint64_t least_ns(const params& p, std::size_t) { return p.hold_us * 1000; }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t, output& out) {
        if (with.begun.fetch_add(1, std::memory_order_relaxed) + 1 == p.tasks)
            with.times.all_begun.store(now(), std::memory_order_release);
        for (auto time = with.rest(); time.count() > 0; time = with.rest()) co_await ctx.sleep_for(time);
        out.company = with.begun.load(std::memory_order_relaxed);
        if (with.ended.fetch_add(1, std::memory_order_relaxed) + 1 == p.tasks) with.times.last_ended = now();
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].company != p.tasks)
                return "task " + std::to_string(i) + " ended when " + std::to_string(outputs[i].company) +
                       " tasks had begun, not all " + std::to_string(p.tasks);
        return {};
    }

  private:
    static std::uint64_t now() {
        const auto since = std::chrono::steady_clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
    }
};

}  // namespace crossover
