// The executor of a model: extra threads that make blocking calls for its suspended items.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "runtimes/blocking/async.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/suspending/wait_queue.hpp"

namespace crossover::cross_thread {

// A call of one item. `done` is called from the executor's thread when it is over. In its base lies its place
// in the queue.
class offloaded_call : private waiter {
  public:
    // The call is not made if `stop` is raised before its turn.
    offloaded_call(void (*called)(void*), void* argument, const stop_state* stop, waiter& done)
        : waiter(nullptr), function_(called), argument_(argument), stop_(stop), done_(done) {}

    // Once it is over: throws what it threw.
    void result() const {
        if (error_) std::rethrow_exception(error_);
    }

  private:
    friend class executor;
    void make() noexcept;

    void (*function_)(void*);
    void* argument_;
    const stop_state* stop_;
    waiter& done_;
    std::exception_ptr error_;
};

// Threads start when there are more calls than idle ones, and stay. Any thread.
class executor {
  public:
    explicit executor(std::size_t most_threads) : most_threads_(most_threads) {}
    // After its last call.
    ~executor();
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;

    // Throws `refused` when the system gives no thread at all.
    void submit(offloaded_call& c);

  private:
    void serve();

    const std::size_t most_threads_;
    std::mutex lock_;
    std::condition_variable work_;
    wait_queue queue_;
    std::size_t queued_ = 0;
    std::size_t idle_ = 0;
    bool closed_ = false;
    std::vector<std::thread> threads_;
};

// Makes the call and suspends the item until it is over, whatever is stopped meanwhile: it uses the item's
// memory. `Verbs` and `Waiter` as for suspending_semaphore.
template <class Waiter, class Verbs>
void offload(Verbs& ctx, executor& to, void (*function)(void*), void* argument) {
    check(ctx.stop());
    Verbs whatever_stops(ctx, nullptr);
    Waiter done(whatever_stops);
    offloaded_call call(function, argument, ctx.stop(), done);
    to.submit(call);
    done.suspend();
    done.await_call();
    call.result();
    check(ctx.stop());
}

}  // namespace crossover::cross_thread
