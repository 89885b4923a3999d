// A batch whose items are tasks of one event loop.
#pragma once

#include <cstddef>
#include <exception>

#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop/combinators/job_batch.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"

namespace crossover::looped {

// Notes in `state` how an item ended; true as in batch_state::note.
inline bool note_item(batch_state& state, std::size_t index, const std::exception_ptr& error) noexcept {
    return error ? note_error(state, index, error) : state.note(ended::well, index);
}

// A task of the loop awaits it; it lies in the frame of that task. A context is made from the one around the
// batch and from what stops the batch.
template <class Context>
class [[nodiscard]] batch {
  public:
    batch(std::size_t n, job<Context> item_job, const void* data, const policy& rules, const Context& around)
        : each_(item_job),
          data_(data),
          state_(rules, around.stop()),
          context_(around, state_.stop()),
          jobs_(n, rules.in_flight, &start, &ended, this) {}
    ~batch() { alarm_.cancel(); }

    bool await_ready() const { return jobs_.await_ready(); }
    void await_suspend(std::coroutine_handle<> h) {
        if (time_point deadline = state_.rules().deadline; deadline != never)
            alarm_ = asyncio::running_loop->call_at(deadline, [this] {
                state_.raise();
                jobs_.stop();
            });
        jobs_.await_suspend(h);
    }
    void await_resume() const {
        try {
            jobs_.await_resume();
        } catch (const asyncio::cancelled_error&) {
            throw cancelled();
        }
        state_.finish();
    }

  private:
    static asyncio::coro<void> start(void* self, std::size_t index) {
        auto& b = *static_cast<batch*>(self);
        if (b.state_.stopped())
            [[unlikely]] {  // its deadline has passed, and the loop was too busy for the timer
            b.jobs_.stop();
            throw cancelled();
        }
        return b.each_(b.context_, b.data_, index);
    }
    static void ended(void* self, std::size_t index, const std::exception_ptr& error) {
        auto& b = *static_cast<batch*>(self);
        if (note_item(b.state_, index, error)) b.jobs_.stop();
    }

    job<Context> each_;
    const void* data_;
    batch_state state_;
    Context context_;
    asyncio::job_batch jobs_;
    asyncio::timer_handle alarm_;  // set if there is a deadline
};

// The batch of a caller outside the loop, which it starts with.
template <class Context>
asyncio::coro<void> whole_batch(std::size_t n, job<Context> item_job, const void* data, const policy& rules,
                                const Context& outside) {
    batch<Context> all(n, item_job, data, rules, outside);
    co_await all;
}

}  // namespace crossover::looped
