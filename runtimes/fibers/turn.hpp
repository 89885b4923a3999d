// A fiber that waits for an item that may be on another thread.
#pragma once

#include "runtimes/fibers/scheduler.hpp"
#include "runtimes/fibers/verbs.hpp"
#include "runtimes/suspending/suspending.hpp"

namespace crossover::fiber {

// The call is posted to the fiber's own thread, where it makes the fiber ready.
class turn : public cross_thread::waiter {
  public:
    explicit turn(verbs& ctx)
        : waiter(&called),
          on_(ctx.on()),
          stop_(ctx.stop()),
          arrival_(*this),
          first_(on_),
          sleeper_(&first_) {}

    void suspend() { first_.suspend(stop_); }

    void await_call() {
        while (!arrived_) {
            waiting again(on_);
            sleeper_ = &again;
            again.suspend(nullptr);
        }
    }

  private:
    struct arrival : node {
        explicit arrival(turn& t) : node(&arrive), owner(t) {}
        turn& owner;
    };
    static void arrive(node& n) {
        turn& mine = static_cast<arrival&>(n).owner;
        mine.arrived_ = true;
        mine.sleeper_->wake();
    }
    static void called(waiter& w) {
        turn& mine = static_cast<turn&>(w);
        if (mine.on_.is_here())
            arrive(mine.arrival_);
        else
            mine.on_.post(mine.arrival_);
    }

    scheduler& on_;
    const stop_state* stop_;
    arrival arrival_;
    waiting first_;
    waiting* sleeper_;
    bool arrived_ = false;
};

using shared_semaphore = cross_thread::suspending_semaphore<verbs, turn>;
template <class T>
using shared_channel = cross_thread::suspending_channel<verbs, turn, T>;

}  // namespace crossover::fiber
