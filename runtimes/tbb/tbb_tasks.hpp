// tbb_tasks: a oneTBB task per item in a task_group. A blocked item holds its thread, so it is for CPU work.
#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/processor.hpp"
#include "runtimes/tbb/batch.hpp"

namespace crossover {

// One scheduled task is one TBB task, spawned on its own; see batch.hpp for batches with a bound.
//
// A thread that waits for a nested batch takes up whatever task it finds, also items that have nothing to do
// with it, on top of its stack. That is what makes TBB's trees fast, and it would deadlock when such an item
// needs a permit that is held below it. So an item that holds a permit waits in isolation, where only its own
// tasks are taken up; tasks inherit it. Hence nothing that holds a permit ever lies below an item that is not
// its own.
class tbb_tasks {
    // What a thread has for itself while it is in the arena.
    struct alignas(cache_line_bytes) place {
        blocking::parker own;
        // Of all batches that are started here. Nobody cancels through TBB, so one serves them all: making
        // one for each, or binding it to the one around it, costs a fifth of a small batch.
        tbb::task_group_context unbound{tbb::task_group_context::isolated};
    };

  public:
    class semaphore;

    class context : public blocking::verbs {
      public:
        using semaphore = tbb_tasks::semaphore;

        context(tbb_tasks& in, place& here, const stop_state* stop)
            : verbs(here.own, stop), in_(in), here_(here) {}

        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
            blocking::check(stop());
            if (held_permits > 0)
                in_.run_isolated(here_, n, item_job, batch, rules, stop());
            else
                in_.run_batch(here_, n, item_job, batch, rules, stop());
            return {};
        }

        void yield() = delete;  // see missing_reason

      private:
        tbb_tasks& in_;
        place& here_;
    };

    // Counts that the thread holds it: an item gives its permits back on the thread where it took them.
    class [[nodiscard]] permit {
      public:
        explicit permit(blocking::semaphore::permit taken) : taken_(std::move(taken)), counts_(true) {
            ++held_permits;
        }
        permit(permit&& other) noexcept
            : taken_(std::move(other.taken_)), counts_(std::exchange(other.counts_, false)) {}
        permit& operator=(permit&& other) noexcept {
            std::swap(taken_, other.taken_);
            std::swap(counts_, other.counts_);
            return *this;
        }
        ~permit() {
            if (counts_) --held_permits;
        }

      private:
        blocking::semaphore::permit taken_;
        bool counts_;
    };

    class semaphore {
      public:
        static constexpr discipline order = blocking::semaphore::order;

        explicit semaphore(std::size_t permits) : limit_(permits) {}
        blocking::ready<permit> acquire(context& ctx) {
            return blocking::ready<permit>(permit(limit_.acquire(ctx).await_resume()));
        }

      private:
        blocking::semaphore limit_;
    };

    static constexpr std::string_view name = "tbb_tasks";
    static constexpr std::string_view family = "tbb";
    static constexpr engineering engineered = engineering::library;
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::queue:
                return "a consumer may run on top of its waiting producer's stack, and wait forever";
            case verb::yield:
                return "a TBB task runs to its end: the rest of it cannot be queued again";
            case verb::offload:
                return "an item holds its worker while it waits for the call: see tbb_resumable";
            default:
                return "";
        }
    }

    // The worker threads are TBB's own: it starts them when the first batch has work for them.
    explicit tbb_tasks(const options& settings);

    std::size_t guaranteed_concurrency() const { return cores_; }
    resource_use resources() const;

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    friend class tbb_batch<tbb_tasks>;
    using running_batch = tbb_batch<tbb_tasks>;
    class in_place;

    void run_item(running_batch& batch, std::size_t index);
    void take_place_and_run(running_batch& batch, std::size_t index);
    void run_batch(place& here, std::size_t n, job<context> item_job, const void* data, const policy& rules,
                   const stop_state* outer);
    void run_isolated(place& here, std::size_t n, job<context> item_job, const void* data,
                      const policy& rules, const stop_state* outer);
    void wake_blocked();

    static inline thread_local int held_permits = 0;
    // Of the thread, from its outermost item on: asking TBB for every item costs as much as the item's job.
    static inline thread_local place* own_place = nullptr;

    std::size_t cores_;
    tbb::global_control most_threads_;
    tbb::task_arena arena_;
    std::unique_ptr<place[]> places_;
};

static_assert(runtime<tbb_tasks> && verbs_are_explained<tbb_tasks>());

}  // namespace crossover
