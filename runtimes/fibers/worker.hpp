// A thread of fibers_multi: its scheduler, its stacks and the nested batches that others may help with.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
#include <semaphore>
#include <thread>

#include "runtimes/fibers/fibers_multi.hpp"
#include "runtimes/fibers/scheduler.hpp"
#include "runtimes/fibers/stacks.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover {

// What is not atomic and has no lock is the thread's own.
class fibers_multi::worker {
  public:
    explicit worker(fibers_multi& owner) : owner_(owner) {}

    // Throws what hindered it.
    void start();
    // From the thread that started it, once no batch is left.
    void stop();

    fibers_multi& owner() { return owner_; }
    fiber::scheduler& scheduler() { return *scheduler_; }
    fiber::stacks& stacks() { return stacks_; }

    // From any thread: makes the worker look for something to do.
    void call() { looks_.post_to(*scheduler_); }
    // From any thread: wakes the fibers whose batch was stopped.
    void call_to_stop() { stops_.post_to(*scheduler_); }
    // By the thread that calls run(): a part of its batch.
    void order(called_batch& part, std::size_t in_flight) {
        in_flight_ = in_flight;
        ordered_.store(&part, std::memory_order_release);
        call();
    }

    // Lists a nested batch of which others may claim items, until close().
    void open(nested_batch& b);
    void close(nested_batch& b);
    // From any thread. Takes part in the oldest batch that has items to claim, and likely the largest; null
    // if there is none.
    nested_batch* join_open();

  private:
    // A call from any thread that does the same however often it is made before it comes.
    class signal : node {
      public:
        using function = void (*)(worker&);
        signal(worker& to, function f) : node(&arrive), to_(to), function_(f) {}
        void post_to(fiber::scheduler& s) {
            if (!posted_.exchange(true, std::memory_order_seq_cst)) s.post(*this);
        }

      private:
        static void arrive(node& n) {
            auto& self = static_cast<signal&>(n);
            // Not a plain store: what was written before a call that found the signal posted is seen from
            // here.
            self.posted_.exchange(false, std::memory_order_seq_cst);
            self.function_(self.to_);
        }
        worker& to_;
        function function_;
        std::atomic<bool> posted_{false};
    };

    void serve();
    void wait_for_call();
    nested_batch* find_open();
    void unlist(nested_batch& b);

    fibers_multi& owner_;
    fiber::stacks stacks_;
    std::optional<fiber::scheduler> scheduler_;
    fiber::waiting* sleeping_ = nullptr;  // the thread's main fiber
    bool called_ = false;
    signal looks_{*this, [](worker& w) {
                      w.called_ = true;
                      if (w.sleeping_) w.sleeping_->wake();
                  }};
    signal stops_{*this, [](worker& w) { w.scheduler_->wake_stopped(); }};

    std::atomic<called_batch*> ordered_{nullptr};
    std::size_t in_flight_ = 0;  // of the order

    alignas(cache_line_bytes) std::mutex open_lock_;
    nested_batch* oldest_ = nullptr;
    nested_batch* newest_ = nullptr;

    std::binary_semaphore started_{0};
    std::exception_ptr failed_;  // set before it has started
    std::atomic<bool> closing_{false};
    std::binary_semaphore may_leave_{0};  // nobody calls it any more
    std::thread thread_;
};

}  // namespace crossover
