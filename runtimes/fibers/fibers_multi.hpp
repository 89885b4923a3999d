// fibers_multi: each item is a Boost.Fiber on one of as many threads as cores; what waits suspends its fiber.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/fibers/stacks.hpp"
#include "runtimes/fibers/turn.hpp"
#include "runtimes/fibers/verbs.hpp"
#include "runtimes/suspending/executor.hpp"
#include "runtimes/suspending/executor_threads.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// One scheduled task = one fiber, as in `fibers`. Each thread has a scheduler and a reactor of its own, and a
// fiber stays on the thread that started it: its waits need no lock, and errno and thread-local addresses
// that the compiler keeps across a switch stay right. So what the threads share is items that have not
// started: those of the caller's batch are claimed one by one by all threads, and a thread that has nothing
// to do claims items of the oldest nested batch that another one has open. Stealing
// fibers that have started was measured and is dearer: with Boost's work_stealing on two threads a tiny fiber
// cost 5 µs of CPU time against 0.2 µs here, a node of fib 6.5 µs against 0.55 µs.
class fibers_multi {
  public:
    class worker;

    class context : public fiber::verbs {
      public:
        context(worker& on, fiber::scheduler& scheduler, const stop_state* stop)
            : verbs(scheduler, stop), worker_(on) {}

        using semaphore = fiber::shared_semaphore;
        template <class T>
        using channel = fiber::shared_channel<T>;

        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);
        blocking::ready<> offload(void (*function)(void*), void* argument);
        blocking::ready<std::size_t> read_file(const char* path, std::span<std::byte> into);

      private:
        worker& worker_;
    };

    static constexpr std::string_view name = "fibers_multi";
    static constexpr std::string_view family = "fibers";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb) { return ""; }

    explicit fibers_multi(const options& settings);
    ~fibers_multi();
    fibers_multi(const fibers_multi&) = delete;
    fibers_multi& operator=(const fibers_multi&) = delete;

    std::size_t guaranteed_concurrency() const { return waits_.guaranteed_concurrency; }
    const std::string& concurrency_limit() const { return waits_.limit; }
    resource_use resources() const {
        return {.threads = workers_.size() + 1,
                .stack_bytes = fiber::stacks::stack_bytes,
                .executor_threads = executor_threads(workers_.size())};
    }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    class running;
    class called_batch;
    class nested_batch;

    void stop_threads();
    // After a batch was stopped: makes every fiber ready that waits under it, on all threads.
    void wake_stopped();
    // There are items that others can claim: calls a thread that sleeps, if there is one.
    void call_a_sleeper() {
        if (sleepers_.load(std::memory_order_seq_cst) > 0) call_one();
    }
    void call_one();

    const waits_allowed waits_ = waits_within_limits(cost_of_waiting{
        .bytes = fiber::stacks::touched_bytes(), .address_bytes = fiber::stacks::stack_bytes});
    cross_thread::executor executor_;  // for calls that block, of all workers
    std::vector<std::unique_ptr<worker>> workers_;
    std::atomic<int> sleepers_{0};
    std::binary_semaphore ended_{0};  // of the caller's batch
};

static_assert(runtime<fibers_multi> && verbs_are_explained<fibers_multi>());

}  // namespace crossover
