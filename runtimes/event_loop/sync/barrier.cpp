// barrier: filling, draining, and what breaks it.
#include "runtimes/event_loop/sync/barrier.hpp"

namespace crossover::asyncio {

barrier::barrier(std::size_t parties) : parties_(parties) {
    if (parties == 0) throw std::invalid_argument("a barrier needs at least one party");
}

coro<std::size_t> barrier::wait() {
    const lock::guard held = co_await changed_.scoped();
    co_await changed_.wait_for([this] { return state_ != state::draining && state_ != state::resetting; });
    if (state_ == state::broken) throw broken_barrier_error("the barrier was aborted");
    struct place {
        explicit place(barrier& b) : self(b), index(b.count_++) {}
        ~place() { self.leave(); }
        barrier& self;
        const std::size_t index;
    } const place(*this);
    if (place.index + 1 == parties_) {
        state_ = state::draining;
        changed_.notify_all();
    } else {
        co_await changed_.wait_for([this] { return state_ != state::filling; });
        if (state_ == state::broken || state_ == state::resetting)
            throw broken_barrier_error("the barrier was reset or aborted");
    }
    co_return place.index;
}

void barrier::leave() {
    if (--count_ != 0) return;
    if (state_ == state::resetting || state_ == state::draining) state_ = state::filling;
    changed_.wake_all();  // without asking for the lock, which a frame that is being destroyed does not hold
}

coro<void> barrier::reset() {
    const lock::guard held = co_await changed_.scoped();
    state_ = count_ > 0 ? state::resetting : state::filling;
    changed_.notify_all();
}

coro<void> barrier::abort() {
    const lock::guard held = co_await changed_.scoped();
    state_ = state::broken;
    changed_.notify_all();
}

}  // namespace crossover::asyncio
