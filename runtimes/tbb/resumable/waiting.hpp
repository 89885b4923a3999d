// Suspended TBB tasks: what each waits for, and the thread that watches descriptors and timers for all.
#pragma once

#include <oneapi/tbb/task.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

#include "runtimes/contract/batch.hpp"
#include "runtimes/reactor/epoll_reactor.hpp"
#include "runtimes/suspending/wait_queue.hpp"
#include "runtimes/system/timer_heap.hpp"

namespace crossover::resumable {

class waiting;

// One thread of its own in the reactor. It runs no item: it only resumes tasks, which then wait for a worker.
class watcher {
  public:
    watcher();
    ~watcher();
    watcher(const watcher&) = delete;
    watcher& operator=(const watcher&) = delete;

    crossover::reactor& reactor() { return reactor_; }

    // After a stop_state was raised: resumes every task that waits under it. Any thread.
    void wake_stopped();

  private:
    friend class waiting;

    void watch();
    std::chrono::nanoseconds time_to_sleep();
    void resume_due();

    // For what waits for a time or can be stopped.
    void enter(waiting& w, time_point latest);
    void leave(waiting& w);

    epoll_reactor reactor_;
    std::mutex lock_;  // of the two below; held while a waiting is marked, not while it is resumed
    asyncio::timer_heap timers_;
    waiting* newest_stoppable_ = nullptr;
    std::atomic<bool> closing_{false};
    std::thread thread_;
};

// One suspended task, on its own stack. Several threads may want to resume it at the same time: each sets its
// bit, and the first one that finds it suspended does it. Whoever has set its bit touches it no more, so the
// waiting may end when every source has set its bit or was told that it need not.
class waiting : public cross_thread::waiter {
  public:
    waiting(watcher& by, const stop_state* stop) : waiter(&called), by_(by), stop_(stop) {}

    // Suspends the task until it is called, or until `latest`, or until its batch is stopped or its deadline
    // passes; the caller then calls check(). It may be resumed by another thread.
    void suspend(time_point latest = never);
    // The same for a descriptor.
    void suspend_for(int descriptor, direction d, time_point latest);
    // Until the call has come, which is on its way.
    void await_call() { await(call_bit); }

  private:
    friend class watcher;
    using bits = std::uint32_t;
    static constexpr bits call_bit = 1;
    static constexpr bits ready_bit = 2;
    static constexpr bits time_bit = 4;
    static constexpr bits stop_bit = 8;
    static constexpr bits suspended_bit = 16;

    struct ready_node : node {
        explicit ready_node(waiting& w) : node(&is_ready), owner(w) {}
        waiting& owner;
    };
    // Only a place among the timers and in the list of what is due.
    struct due_node : node {
        explicit due_node(waiting& w) : owner(w) {}
        waiting& owner;
    };
    static void called(cross_thread::waiter& w) { static_cast<waiting&>(w).wake(call_bit); }
    static void is_ready(node& n) { static_cast<ready_node&>(n).owner.wake(ready_bit); }

    // Null unless the caller has to resume the task.
    tbb::task::suspend_point mark(bits which);
    void wake(bits which) {
        if (tbb::task::suspend_point mine = mark(which)) tbb::task::resume(mine);
    }
    bool has(bits which) const { return (state_.load(std::memory_order_acquire) & which) != 0; }
    void await(bits which) const;

    watcher& by_;
    const stop_state* stop_;
    std::atomic<bits> state_{0};
    tbb::task::suspend_point point_ = nullptr;
    due_node due_{*this};
    waiting* newer_ = nullptr;  // of those that a stop can end
    waiting* older_ = nullptr;
};

}  // namespace crossover::resumable
