// barrier: a fixed number of tasks wait for each other and continue together.
#pragma once

#include <cstddef>
#include <stdexcept>

#include "runtimes/event_loop/sync/condition.hpp"

namespace crossover::asyncio {

class broken_barrier_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

class barrier {
  public:
    // Throws std::invalid_argument for 0 parties.
    explicit barrier(std::size_t parties);

    // Returns this task's place among those that go on together, 0 to parties - 1, each once. Late-comers
    // block until the barrier has drained. Throws broken_barrier_error if the barrier is reset while this
    // task waits, or is or becomes broken.
    coro<std::size_t> wait();
    // Breaks the tasks that wait now; the barrier can be used again.
    coro<void> reset();
    // Breaks those that wait and all who will.
    coro<void> abort();

    std::size_t parties() const noexcept { return parties_; }
    // How many wait now.
    std::size_t n_waiting() const noexcept { return state_ == state::filling ? count_ : 0; }
    bool broken() const noexcept { return state_ == state::broken; }

  private:
    enum class state { filling, draining, resetting, broken };
    void leave();

    std::size_t parties_;
    std::size_t count_ = 0;
    state state_ = state::filling;
    condition changed_;
};

}  // namespace crossover::asyncio
