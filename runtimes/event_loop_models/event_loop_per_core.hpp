// event_loop_per_core: one event loop per core; each item is a coroutine of one of them.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/loop/loop.hpp"
#include "runtimes/event_loop_models/awaiting.hpp"
#include "runtimes/event_loop_models/loop_executor.hpp"
#include "runtimes/event_loop_models/loop_model.hpp"
#include "runtimes/suspending/executor_threads.hpp"

namespace crossover {

namespace looped {

// Semaphores and channels are those of items which may live on several loops.
class per_core_verbs : public executor_verbs {
  public:
    using executor_verbs::executor_verbs;

    using semaphore = cross_thread::loop_semaphore;
    template <class T>
    using channel = cross_thread::loop_channel<T>;
};

}  // namespace looped

// One scheduled task = one job called from the ready queue of its loop, as in event_loop. The loops share
// nothing but a batch's rules: item i belongs to loop i modulo their number from its start to its end, and so
// does all that it forks. Thus no queue has a lock, and a tree with one root uses one core. Semaphores and
// channels work across loops. The first loop runs on the thread that calls run(). The loops share one
// executor for calls that block.
class event_loop_per_core : public looped::of_the_family {
  public:
    using context = looped::context<looped::per_core_verbs>;

    static constexpr std::string_view name = "event_loop_per_core";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb) { return ""; }

    explicit event_loop_per_core(const options& settings);
    ~event_loop_per_core();
    event_loop_per_core(const event_loop_per_core&) = delete;
    event_loop_per_core& operator=(const event_loop_per_core&) = delete;

    resource_use resources() const {
        return {.threads = loops_.size(), .executor_threads = executor_threads(loops_.size())};
    }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    class spread_batch;
    class share;

    void stop_threads();

    std::vector<std::unique_ptr<asyncio::loop>> loops_;
    asyncio::thread_executor executor_;  // of all loops
    std::vector<std::thread> threads_;   // of all loops but the first
};

static_assert(runtime<event_loop_per_core> && verbs_are_explained<event_loop_per_core>());

}  // namespace crossover
