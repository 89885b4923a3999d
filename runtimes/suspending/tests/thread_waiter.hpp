// A thread as a waiter, for tests.
#pragma once

#include <semaphore>

#include "runtimes/suspending/wait_queue.hpp"

namespace crossover::cross_thread {

class thread_waiter : public waiter {
  public:
    thread_waiter() : waiter(&called) {}
    bool was_called() { return calls_.try_acquire(); }
    void await_call() { calls_.acquire(); }

  private:
    static void called(waiter& w) { static_cast<thread_waiter&>(w).calls_.release(); }
    std::counting_semaphore<> calls_{0};
};

}  // namespace crossover::cross_thread
