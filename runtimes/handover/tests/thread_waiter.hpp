// A waiter that is a thread, for tests.
#pragma once

#include <semaphore>

#include "runtimes/handover/waiter.hpp"

namespace crossover::handover {

class thread_waiter : public waiter {
  public:
    thread_waiter() : waiter(&called) {}
    bool was_called() { return calls_.try_acquire(); }
    void await_call() { calls_.acquire(); }

  private:
    static void called(waiter& w) { static_cast<thread_waiter&>(w).calls_.release(); }
    std::counting_semaphore<> calls_{0};
};

}  // namespace crossover::handover
