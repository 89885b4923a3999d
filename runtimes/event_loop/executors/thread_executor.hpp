// thread_executor: threads that make blocking calls for a loop; run_in_executor and to_thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "runtimes/event_loop/executors/cross_thread_call.hpp"
#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

// From now on to_thread() is refused. Waits until the loop's own executor has ended its calls, for which the
// loop goes on running. After `patience` it gives up, which is reported to the exception handler; the threads
// then end on their own. run() does this at its end.
coro<void> shutdown_default_executor(std::chrono::nanoseconds patience = std::chrono::minutes(5));

// Starts its threads on demand, an idle one being preferred, and serves any number of loops. Its functions
// may be called from any thread.
class thread_executor {
  public:
    // As many threads as asyncio has by default: the processors that may be used and 4, at most 32.
    static std::size_t default_size();

    explicit thread_executor(std::size_t most_threads = default_size());
    thread_executor(const thread_executor&) = delete;
    thread_executor& operator=(const thread_executor&) = delete;
    // Waits until all calls have been made.
    ~thread_executor();

    std::size_t threads() const;

    // Throws std::runtime_error after shutdown().
    void submit(std::unique_ptr<cross_thread_call> call, std::shared_ptr<loop_link> to);
    void withdraw_when_cancelled(outcome& o, const cross_thread_call& call);

    // Takes no more calls and waits until the threads have ended, or until the time is over: they then go on
    // on their own. Returns whether they have ended.
    bool shutdown(std::chrono::nanoseconds patience = std::chrono::nanoseconds::max());
    // Cancels the calls that no thread has begun.
    void cancel_queued();

  private:
    struct state;
    struct withdrawal;
    static bool shutdown(state& s, std::chrono::nanoseconds patience);
    friend coro<void> shutdown_default_executor(std::chrono::nanoseconds patience);

    std::shared_ptr<state> state_;  // the threads have it too
};

// Calls f(args...) in a thread of the executor; the arguments are copied or moved. Cancelling the future
// keeps a call that has not begun from being made; one under way goes on and its result is dropped. To be
// called in a running loop.
template <class F, class... Args>
auto run_in_executor(thread_executor& executor, F&& f, Args&&... args) {
    auto bound = call_later_with(std::forward<F>(f), std::forward<Args>(args)...);
    using result_type = std::invoke_result_t<decltype(bound)&>;
    loop& l = get_running_loop();
    auto call = std::make_unique<bound_cross_thread_call<result_type, decltype(bound)>>(l, std::move(bound));
    future<result_type> result = call->result();
    executor.withdraw_when_cancelled(result.raw(), *call);
    executor.submit(std::move(call), l.use<cross_thread_calls>().link());
    return result;
}

// The loop's own executor, made at its first use and shut down when the loop closes.
class default_executor final : public loop::service {
  public:
    explicit default_executor(loop& l) { l.use<cross_thread_calls>(); }
    thread_executor& get() noexcept { return executor_; }

  private:
    thread_executor executor_;
};

// As run_in_executor() in the loop's own executor, begun when it is awaited. The call sees a copy of the
// awaiting task's context.
template <class F, class... Args>
coro<std::invoke_result_t<std::decay_t<F>, std::decay_t<Args>...>> to_thread(F f, Args... args) {
    thread_executor& executor = get_running_loop().use<default_executor>().get();
    auto call = call_later_with(std::move(f), std::move(args)...);
    auto in_context = [here = copy_context(), call = std::move(call)]() mutable -> decltype(auto) {
        return here.run(call);
    };
    auto result = run_in_executor(executor, std::move(in_context));
    co_return co_await std::move(result);
}

}  // namespace crossover::asyncio
