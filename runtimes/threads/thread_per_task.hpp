// thread_per_task: a std::thread for every item, started when the policy has room for it. What one gets
// without a pool.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <mutex>
#include <string>

#include "runtimes/blocking/channel.hpp"
#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// One scheduled task is one thread. A batch holds at most guaranteed_concurrency() threads; further items
// start as others end.
class thread_per_task {
  public:
    class context : public blocking::verbs {
      public:
        template <class T>
        using channel = blocking::channel<T>;

        context(thread_per_task& in, blocking::parker& own, const stop_state* stop)
            : verbs(own, stop), in_(in) {}

        // A thread per child; the caller waits.
        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
            blocking::check(stop());
            in_.run_batch(n, item_job, batch, rules, stop());
            return {};
        }

      private:
        thread_per_task& in_;
    };

    static constexpr std::string_view name = "thread_per_task";
    static constexpr std::string_view family = "threads";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        return v == verb::offload ? "every item has a thread of its own already" : "";
    }

    explicit thread_per_task(const options&);
    thread_per_task(const thread_per_task&) = delete;
    thread_per_task& operator=(const thread_per_task&) = delete;

    // What the system's limits leave for threads of this process.
    std::size_t guaranteed_concurrency() const { return waits_.guaranteed_concurrency; }
    const std::string& concurrency_limit() const { return waits_.limit; }
    // At most: besides the items the caller.
    resource_use resources() const {
        return {.threads = guaranteed_concurrency() + 1, .stack_bytes = stack_bytes_};
    }

    // Throws `refused`, with the limits, when the system gives no further thread; the started items are
    // stopped first, whatever the policy, because they may wait for one that cannot start.
    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        run_batch(n, item_job, batch, rules, nullptr);
    }

  private:
    class running_batch;

    // The parkers of all items, so that whoever stops a batch can wake them.
    class listed_parker {
      public:
        explicit listed_parker(thread_per_task& in);
        ~listed_parker();
        listed_parker(const listed_parker&) = delete;
        listed_parker& operator=(const listed_parker&) = delete;
        blocking::parker own;

      private:
        friend class thread_per_task;
        thread_per_task& in_;
        const pthread_t thread_ = ::pthread_self();
        listed_parker* before_ = nullptr;
        listed_parker* after_ = nullptr;
    };

    void run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                   const stop_state* outer);
    void run_item(running_batch& batch, std::size_t index);
    void wake_blocked();
    void interrupt_blocked();

    std::mutex listing_;  // a thread starts in 10 µs or more: what it does here does not count
    listed_parker* first_ = nullptr;
    const std::size_t stack_bytes_;
    const waits_allowed waits_;
};

static_assert(runtime<thread_per_task> && verbs_are_explained<thread_per_task>());

}  // namespace crossover
