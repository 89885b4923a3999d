// The batches of fibers_multi: threads claim items one by one, and each item becomes a fiber.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/fiber/fiber.hpp>

#include "runtimes/contract/batch.hpp"
#include "runtimes/fibers/fibers_multi.hpp"
#include "runtimes/fibers/worker.hpp"

namespace crossover {

// `left` counts what has still to end: items that were claimed, and workers that claim. The last one tells.
class fibers_multi::running {
  public:
    running(fibers_multi& owner, std::size_t n, job<context> item_job, const void* data, const policy& rules,
            const stop_state* outer, std::size_t claimants)
        : state(rules, outer),
          owner_(owner),
          each_(item_job),
          data_(data),
          n_(n),
          bounded_(rules.in_flight < n),
          left_(claimants) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;

    batch_state state;

    bool has_more() const { return next_.load(std::memory_order_relaxed) < n_; }

    void stop() {
        state.raise();
        owner_.wake_stopped();
    }

  protected:
    ~running() = default;

    // Starts up to `most` items on this worker, each of which starts another one at its end if there is a
    // bound.
    void start_items(worker& on, std::size_t most) {
        std::size_t index = 0;
        for (; most > 0 && claim(index); --most) start(on, index, boost::fibers::launch::dispatch);
    }

    // True for the last one.
    bool leave() { return left_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

    virtual void all_left(worker& last) = 0;

    fibers_multi& owner() { return owner_; }
    std::atomic<std::size_t>& left() { return left_; }

  private:
    // To be called while something is left.
    bool claim(std::size_t& index) {
        if (!has_more() || state.stopped()) return false;
        left_.fetch_add(1, std::memory_order_relaxed);
        index = next_.fetch_add(1, std::memory_order_relaxed);
        if (index < n_) return true;
        left_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }

    void start(worker& on, std::size_t index, boost::fibers::launch how) {
        if (how == boost::fibers::launch::dispatch) on.scheduler().before_dispatch();
        try {
            boost::fibers::fiber(how, std::allocator_arg, fiber::stacks::allocator(on.stacks()),
                                 [this, &on, index] { run_item(on, index); })
                .detach();
        } catch (...) {
            note_end(index, [&] { throw; });
            if (leave()) all_left(on);
        }
    }

    void run_item(worker& on, std::size_t index) noexcept {
        {
            context ctx(on, on.scheduler(), state.stop());
            note_end(index, [&] { each_(ctx, data_, index).finish(); });
        }
        // In the queue, not on top of this one, lest the stacks of items that never wait pile up.
        if (std::size_t following = 0; bounded_ && claim(following))
            start(on, following, boost::fibers::launch::post);
        on.scheduler().before_end();
        if (leave()) all_left(on);
    }

    template <class Body>
    void note_end(std::size_t index, Body&& body) noexcept {
        if (run_noted(state, index, body)) owner_.wake_stopped();
    }

    fibers_multi& owner_;
    job<context> each_;
    const void* data_;
    std::size_t n_;
    bool bounded_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> left_;
};

// The batch of the thread that calls run(), which itself runs no item.
class fibers_multi::called_batch : public running {
  public:
    called_batch(fibers_multi& owner, std::size_t n, job<context> item_job, const void* data,
                 const policy& rules, std::size_t workers)
        : running(owner, n, item_job, data, rules, nullptr, workers) {}

    void take_part(worker& on, std::size_t in_flight) {
        start_items(on, in_flight);
        if (leave()) all_left(on);
    }

  private:
    // The semaphore is the runtime's, because the batch may be gone before release() has returned.
    void all_left(worker&) override { owner().ended_.release(); }
};

// The batch of an item, whose fiber waits for it after having started what others have not claimed.
class fibers_multi::nested_batch : public running {
  public:
    nested_batch(worker& home, std::size_t n, job<context> item_job, const void* data, const policy& rules,
                 const stop_state* outer)
        : running(home.owner(), n, item_job, data, rules, outer, 1),
          home_(home),
          lanes_(static_cast<std::ptrdiff_t>(std::min(n, rules.in_flight))),
          ended_(*this) {}

    void run() {
        home_.open(*this);
        start_lanes(home_);
        home_.close(*this);
        if (leave()) return;
        while (!has_ended_) {
            fiber::waiting self(home_.scheduler());
            waiter_ = &self;
            // The batch's deadline is kept here, and here only: an item or a claim that finds it over tells
            // no sleeper.
            const bool may_expire = !state.rules().cannot_stop() && !told_;
            if (!self.suspend(nullptr, may_expire ? state.rules().deadline : never)) {
                told_ = true;
                stop();
            }
            waiter_ = nullptr;
        }
    }

    // Once false it stays so.
    bool has_unclaimed() const { return lanes_.load(std::memory_order_relaxed) > 0 && has_more(); }
    // With the lock of the list in which the batch is open.
    void join() { left().fetch_add(1, std::memory_order_relaxed); }
    void help(worker& on) {
        start_lanes(on);
        if (leave()) all_left(on);
    }

    // In the list of those that are open, under its lock.
    nested_batch* older = nullptr;
    nested_batch* newer = nullptr;
    bool listed = false;

  private:
    struct end_node : node {
        explicit end_node(nested_batch& b) : node(&arrive), batch(b) {}
        static void arrive(node& n) {
            nested_batch& b = static_cast<end_node&>(n).batch;
            b.has_ended_ = true;
            if (b.waiter_) b.waiter_->wake();
        }
        nested_batch& batch;
    };

    void start_lanes(worker& on) {
        while (has_unclaimed() && lanes_.fetch_sub(1, std::memory_order_relaxed) > 0) {
            if (lanes_.load(std::memory_order_relaxed) > 0) owner().call_a_sleeper();
            start_items(on, 1);
        }
    }

    void all_left(worker& last) override {
        if (&last == &home_)
            end_node::arrive(ended_);
        else
            home_.scheduler().post(ended_);
    }

    worker& home_;
    std::atomic<std::ptrdiff_t> lanes_;  // items that may still be started from outside
    end_node ended_;
    fiber::waiting* waiter_ = nullptr;
    bool has_ended_ = false;
    bool told_ = false;  // those that wait have been told of the deadline
};

}  // namespace crossover
