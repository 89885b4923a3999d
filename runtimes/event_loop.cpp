// Starting the jobs of a batch in the loop, and noting how they end.
#include "runtimes/event_loop.hpp"

#include "runtimes/event_loop/future.hpp"

namespace crossover {

namespace {

// What an item has thrown, as the batch notes it.
bool note_error(batch_state& state, std::size_t index, const std::exception_ptr& error) noexcept {
    return run_noted(state, index, [&] {
        try {
            std::rethrow_exception(error);
        } catch (const asyncio::cancelled_error&) {
            throw cancelled();
        }
    });
}

asyncio::coro<void> whole_batch(std::size_t n, job<event_loop::context> each, const void* batch,
                                const policy& rules) {
    event_loop::nested_batch all(n, each, batch, rules, nullptr);
    co_await all;
}

}  // namespace

asyncio::coro<void> event_loop::nested_batch::start(void* self, std::size_t index) {
    auto& b = *static_cast<nested_batch*>(self);
    if (b.state_.stopped())
        [[unlikely]] {  // its deadline has passed, and the loop was too busy for the timer
        b.jobs_.stop();
        throw cancelled();
    }
    return b.each_(b.context_, b.batch_, index);
}

void event_loop::nested_batch::ended(void* self, std::size_t index, const std::exception_ptr& error) {
    auto& b = *static_cast<nested_batch*>(self);
    bool stops = error ? note_error(b.state_, index, error) : b.state_.note(ended::well, index);
    if (stops) b.jobs_.stop();
}

void event_loop::nested_batch::await_suspend(std::coroutine_handle<> h) {
    if (time_point deadline = state_.rules().deadline; deadline != never)
        alarm_ = asyncio::running_loop->call_at(deadline, [this] {
            state_.raise();
            jobs_.stop();
        });
    jobs_.await_suspend(h);
}

void event_loop::nested_batch::await_resume() const {
    try {
        jobs_.await_resume();
    } catch (const asyncio::cancelled_error&) {
        throw cancelled();
    }
    state_.finish();
}

void event_loop::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    loop_.run_until_complete(whole_batch(n, each, batch, rules));
}

}  // namespace crossover
