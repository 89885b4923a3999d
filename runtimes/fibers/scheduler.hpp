// The Boost.Fiber scheduler of one thread: runs fibers in turn, and waits in the reactor when none is ready.
#pragma once

#include <atomic>
#include <boost/fiber/algo/algorithm.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/scheduler.hpp>
#include <thread>

#include "runtimes/contract/batch.hpp"
#include "runtimes/reactor/epoll_reactor.hpp"
#include "runtimes/system/processor.hpp"
#include "runtimes/system/timer_heap.hpp"

namespace crossover::fiber {

class scheduler;

// One fiber that waits, on its own stack: for a node to run (socket, timer, semaphore, ...), or for its batch
// to be stopped.
class waiting : public node {
  public:
    explicit waiting(scheduler& on) : node(&waiting::run_node), on_(on) {}
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;

    // Suspends the calling fiber until wake(), or until `latest`, or until `stop` is raised. The caller then
    // looks at why, takes its node out of wherever it put it, and calls check(). True unless the time is
    // over.
    bool suspend(const stop_state* stop, time_point latest = never);

    // Makes the fiber ready; again is harmless. The scheduler's thread only.
    void wake();

    bool woken() const { return woken_; }

    waiting* next_waiter =
        nullptr;  // of a list whose owner hands something to its waiters (semaphore, channel)

  private:
    friend class scheduler;
    static void run_node(node& n) { static_cast<waiting&>(n).wake(); }

    scheduler& on_;
    boost::fibers::context* fiber_ = nullptr;
    const stop_state* stop_ = nullptr;
    waiting* newer_ = nullptr;  // of those that a stop can end
    waiting* older_ = nullptr;
    bool woken_ = false;
};

// Of one thread, on which one fiber runs at a time, so nothing here needs a lock. Sleeping fibers lie in our
// own timer heap: Boost's scheduler reads the clock at every switch once a fiber sleeps in its queue (10,000
// sleepers of 50 ms: 119 ms there, 66 ms here).
class scheduler {
  public:
    // Takes over the fibers of the calling thread until it is destroyed. While it sleeps it counts itself in
    // `sleepers`, if there is such a count.
    explicit scheduler(std::atomic<int>* sleepers = nullptr);
    ~scheduler();
    scheduler(const scheduler&) = delete;
    scheduler& operator=(const scheduler&) = delete;

    crossover::reactor& reactor() { return reactor_; }

    // After a stop_state was raised: makes every fiber ready that waits under it.
    void wake_stopped();

    // Lets the fibers that are ready run first.
    void yield();

    // From any thread: runs the node on the scheduler's thread, which is woken if it sleeps. The node stays
    // where it is until then.
    void post(node& n) noexcept;
    bool is_here() const { return std::this_thread::get_id() == thread_; }
    bool asleep() const { return asleep_.load(std::memory_order_seq_cst); }

    // The caller is about to start a fiber with launch::dispatch, and wants to go on right after it.
    void before_dispatch() { parent_first_ = true; }

    // The calling fiber is about to end.
    void before_end() { ++ended_; }

  private:
    friend class waiting;

    class algorithm;

    // Makes ready what the reactor, the timers and other threads have; sleeps at most until `latest`.
    void poll(time_point latest);
    void note_sleep(bool begins) noexcept;
    void take_posted() noexcept;

    const std::thread::id thread_ = std::this_thread::get_id();
    epoll_reactor reactor_;
    asyncio::timer_heap timers_;
    waiting* newest_stoppable_ = nullptr;
    bool parent_first_ = false;
    unsigned ended_ = 0;  // since the dispatcher ran
    std::size_t waits_ =
        0;  // fibers that wait for a descriptor or a time; with none there is nothing to poll for
    boost::fibers::scheduler::ready_queue_type ready_;  // the algorithm's, but for parents
    std::atomic<int>* const sleepers_;
    std::atomic<bool> asleep_{false};
    alignas(cache_line_bytes) std::atomic<node*> posted_{nullptr};  // the latest first
};

}  // namespace crossover::fiber
