// thread_pool_queue: the pool of threads that tutorials and standard libraries mean: a queue of functions,
// one mutex and one condition variable.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string_view>
#include <thread>
#include <vector>

#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/bounded_ring.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover {

// One scheduled task is one item, pushed on its own, of as many threads as cores.
class thread_pool_queue {
    class worker;
    class blocked;

  public:
    class semaphore;
    using permit = crossover::permit<semaphore>;
    template <class T>
    class channel;

    class context : public blocking::verbs {
      public:
        using semaphore = thread_pool_queue::semaphore;
        template <class T>
        using channel = thread_pool_queue::channel<T>;

        context(worker& on, const stop_state* stop);

        // Pushes the items; then the worker runs those that nobody has taken yet.
        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);

      private:
        friend class blocked;
        worker& on_;
    };

    static constexpr std::string_view name = "thread_pool_queue";
    static constexpr std::string_view variant_of = "thread_pool";
    static constexpr std::string_view family = "threads";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        return v == verb::offload ? "an item holds its worker while it waits for the call: nothing is gained"
                                  : "";
    }

    // Starts the threads. Throws `refused`, with the limits, when the system does not give them.
    explicit thread_pool_queue(const options& settings);
    ~thread_pool_queue();
    thread_pool_queue(const thread_pool_queue&) = delete;
    thread_pool_queue& operator=(const thread_pool_queue&) = delete;

    std::size_t guaranteed_concurrency() const { return workers_.size(); }
    resource_use resources() const;

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        run_batch(n, item_job, batch, rules, nullptr, nullptr);
    }

  private:
    struct running_batch;
    using lock = std::unique_lock<std::mutex>;

    // Of one thread: what others need to end a wait of its item.
    class worker {
      public:
        explicit worker(thread_pool_queue& in) : pool(in) {}
        void interrupt();

        thread_pool_queue& pool;
        blocking::parker own;

      private:
        friend class blocked;
        std::mutex interrupting_;
        blocked* in_ = nullptr;
    };

    // A wait of an item for a condition variable, which ends when its batch is stopped: what
    // std::condition_variable_any does with a std::stop_token. To be made before the lock is taken.
    class blocked {
      public:
        blocked(context& ctx, std::mutex& under, std::condition_variable& until);
        ~blocked();
        blocked(const blocked&) = delete;
        blocked& operator=(const blocked&) = delete;

        template <class Ready>
        void wait(lock& guard, Ready ready) {
            if (!stop_) return changed_.wait(guard, ready);
            while (!ready()) wait_or_throw(guard);
        }

      private:
        friend class worker;
        void wait_or_throw(lock& guard);

        const stop_state* stop_;
        worker& on_;
        std::mutex& lock_;
        std::condition_variable& changed_;
    };

    void work(worker& self);
    void push(running_batch& to, std::size_t index);
    void run_next(worker& self, running_batch& from, lock& guard);
    void run_item(worker& self, running_batch& of, std::size_t index);
    void await(running_batch& own, std::size_t unended, worker* self, lock& guard);
    void run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                   const stop_state* outer, worker* self);
    void stop_threads();

    std::mutex lock_;
    std::condition_variable pushed_;
    std::list<running_batch*> waiting_;  // those with tasks that nobody has taken, in the order of arrival
    bool closing_ = false;
    std::vector<std::unique_ptr<worker>> workers_;
    std::vector<std::thread> threads_;
};

class thread_pool_queue::semaphore {
  public:
    static constexpr discipline order = discipline::barging;

    explicit semaphore(std::size_t permits) : free_(permits) {}

    blocking::ready<permit> acquire(context& ctx) {
        check(ctx.stop());
        blocked here(ctx, lock_, released_);
        lock guard(lock_);
        here.wait(guard, [this] { return free_ > 0; });
        --free_;
        return blocking::ready<permit>(permit(*this));
    }

    void release() {
        {
            const std::lock_guard guard(lock_);
            ++free_;
        }
        released_.notify_one();
    }

  private:
    std::mutex lock_;
    std::condition_variable released_;
    std::size_t free_;
};

template <class T>
class thread_pool_queue::channel {
  public:
    static constexpr discipline order = discipline::barging;

    channel(arena& memory, std::size_t capacity) : elements_(memory, capacity) {}

    // False once the channel is closed.
    blocking::ready<bool> push(context& ctx, T value) {
        check(ctx.stop());
        {
            blocked here(ctx, lock_, popped_);
            lock guard(lock_);
            here.wait(guard, [this] { return closed_ || !elements_.full(); });
            if (closed_) return blocking::ready<bool>(false);
            elements_.push(value);
        }
        pushed_.notify_one();
        return blocking::ready<bool>(true);
    }

    // Empty once the channel is closed and drained.
    blocking::ready<std::optional<T>> pop(context& ctx) {
        check(ctx.stop());
        std::optional<T> value;
        {
            blocked here(ctx, lock_, pushed_);
            lock guard(lock_);
            here.wait(guard, [this] { return closed_ || !elements_.empty(); });
            if (!elements_.empty()) value = elements_.pop();
        }
        popped_.notify_one();
        return blocking::ready<std::optional<T>>(value);
    }

    void close() {
        {
            const std::lock_guard guard(lock_);
            closed_ = true;
        }
        pushed_.notify_all();
        popped_.notify_all();
    }

  private:
    std::mutex lock_;
    std::condition_variable pushed_;
    std::condition_variable popped_;
    bounded_ring<T> elements_;
    bool closed_ = false;
};

static_assert(runtime<thread_pool_queue> && verbs_are_explained<thread_pool_queue>());

}  // namespace crossover
