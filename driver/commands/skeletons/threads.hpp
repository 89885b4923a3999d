// skeleton: what the model does, in one line. So far: a thread per core, which claims items one by one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "runtimes/blocking/channel.hpp"
#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

class skeleton {
  public:
    // What an item is given. Its verbs block the worker that runs it.
    class context : public blocking::verbs {
      public:
        template <class T>
        using channel = blocking::channel<T>;

        context(skeleton& in, blocking::parker& own, const stop_state* stop) : verbs(own, stop), in_(in) {}

        // A nested batch.
        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
            blocking::check(stop());
            in_.run_batch(n, item_job, batch, rules, stop(), &own());
            return {};
        }

      private:
        skeleton& in_;
    };

    static constexpr std::string_view name = "skeleton";
    static constexpr std::string_view family = "peer";  // shown, but does not compete for a verdict
    static constexpr engineering engineered = engineering::library;  // or textbook, or best
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    // Throws `refused`, with the limits, when the system does not give the threads.
    explicit skeleton(const options& settings) : parkers_(settings.cores) {
        try {
            for (blocking::parker& own : parkers_) threads_.emplace_back([this, &own] { work(own); });
        } catch (const std::system_error& e) {
            close();
            refuse_worker(e.code().value(), "starting a worker thread");
        }
    }
    ~skeleton() { close(); }
    skeleton(const skeleton&) = delete;
    skeleton& operator=(const skeleton&) = delete;

    std::size_t guaranteed_concurrency() const { return parkers_.size(); }
    resource_use resources() const { return {parkers_.size() + 1, 1, stack_bytes_of_threads()}; }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        run_batch(n, item_job, batch, rules, nullptr, nullptr);
    }

  private:
    using lock = std::unique_lock<std::mutex>;

    // Lies on the stack of whoever runs the batch. The counts are under the lock.
    struct open_batch {
        open_batch(std::size_t n, job<context> item, const void* items_data, const policy& rules,
                   const stop_state* outer)
            : items(n), item_job(item), data(items_data), state(rules, outer) {}

        const std::size_t items;
        const job<context> item_job;
        const void* const data;
        batch_state state;
        std::size_t started = 0;
        std::size_t alive = 0;
        std::condition_variable ended;  // one more item

        bool all_started() { return started == items || state.stopped(); }
        bool can_start() { return !all_started() && alive < state.rules().in_flight; }
    };

    // The worker loop: runs an item of the oldest batch that has one, or sleeps until some batch has.
    void work(blocking::parker& own) {
        lock guard(lock_);
        for (;;) {
            open_batch* next = nullptr;
            opened_.wait(guard, [&] {
                for (open_batch* batch : open_)
                    if (batch->can_start()) next = next ? next : batch;
                return next || closing_;
            });
            if (!next) return;
            run_item(*next, own, guard);
        }
    }

    // Lets go of the lock while the item runs. The batch may be gone afterwards.
    void run_item(open_batch& batch, blocking::parker& own, lock& guard) {
        const std::size_t index = batch.started++;
        ++batch.alive;
        guard.unlock();
        context ctx(*this, own, batch.state.stop());
        const bool stops =
            run_noted(batch.state, index, [&] { batch.item_job(ctx, batch.data, index).finish(); });
        if (stops)  // others may wait in a verb: they look at their stop again
            for (blocking::parker& each : parkers_) each.wake();
        guard.lock();
        --batch.alive;
        batch.ended.notify_one();
    }

    // A worker that waits for a nested batch runs items of that batch meanwhile: if it only slept, all
    // workers could end up waiting. It runs no others, because these may need what the items on its stack
    // hold.
    void run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                   const stop_state* outer, blocking::parker* own) {
        open_batch batch(n, item_job, data, rules, outer);
        lock guard(lock_);
        open_.push_back(&batch);
        opened_.notify_all();
        while (batch.alive != 0 || !batch.all_started()) {
            if (own && batch.can_start())
                run_item(batch, *own, guard);
            else
                batch.ended.wait(guard);
        }
        open_.remove(&batch);
        guard.unlock();
        batch.state.finish();
    }

    void close() {
        {
            const std::lock_guard guard(lock_);
            closing_ = true;
        }
        opened_.notify_all();
        for (std::thread& each : threads_) each.join();
    }

    std::mutex lock_;
    std::condition_variable opened_;  // a batch, or the model closes
    std::list<open_batch*> open_;     // in the order of their arrival
    bool closing_ = false;
    std::vector<blocking::parker> parkers_;  // one per worker: where its items wait
    std::vector<std::thread> threads_;
};

static_assert(runtime<skeleton> && verbs_are_explained<skeleton>());

}  // namespace crossover
