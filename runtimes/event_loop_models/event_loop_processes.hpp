// event_loop_processes: the event loop with an executor of processes, for heavy work and blocking calls.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop/executors/process_executor.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"
#include "runtimes/event_loop_models/loop_model.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"

namespace crossover {

class event_loop_processes;

namespace looped {

class worker_verbs : public verbs {
  public:
    explicit worker_verbs(event_loop_processes& owner) : owner_(owner) {}
    worker_verbs(const worker_verbs& as, const stop_state* stop) : verbs(as, stop), owner_(as.owner_) {}

    asyncio::coro<void> offload(void (*function)(void*), void* argument);

  private:
    event_loop_processes& owner_;
};

}  // namespace looped

// As event_loop. The executor is the library's, as asyncio's ProcessPoolExecutor: one worker per core,
// started with the first calls. Only addresses travel, for the arguments lie in the arena.
class event_loop_processes : public looped::model<looped::worker_verbs> {
  public:
    static constexpr std::string_view name = "event_loop_processes";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb v) {
        return v == verb::read
                   ? "a file cannot be waited for in epoll, and a worker would read it into its own "
                     "memory"
                   : "";
    }

    // Must be made before the process has any thread. Throws `refused` when the system gives no process.
    explicit event_loop_processes(const options& settings);
    ~event_loop_processes();
    event_loop_processes(const event_loop_processes&) = delete;
    event_loop_processes& operator=(const event_loop_processes&) = delete;

    // Besides the caller and the workers the one that forks them.
    resource_use resources() const { return {.threads = workers_ + 2, .processes = workers_ + 2}; }

    // If a worker has died, the offloaded calls of that run fail, and the next run has new workers.
    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

    usage workers_used() const;
    // Of those that have made a call.
    std::span<const int> worker_ids() const { return ids_; }

  private:
    friend class looped::worker_verbs;
    struct account;

    asyncio::coro<void> open();
    asyncio::coro<void> close();
    asyncio::coro<void> whole_run(std::size_t n, job<context> item_job, const void* batch,
                                  const policy& rules);
    void note_ids();
    static void call_in_worker(std::uintptr_t function, std::uintptr_t argument, std::uintptr_t account);

    std::size_t workers_;
    account* account_;                 // in the arena
    asyncio::semaphore idle_workers_;  // a call waits here for its worker, where a stop can reach it
    std::shared_ptr<asyncio::worker_supervisor> supervisor_;
    std::unique_ptr<asyncio::process_executor> executor_;
    std::vector<int> ids_;
};

static_assert(runtime<event_loop_processes> && has_workers<event_loop_processes> &&
              verbs_are_explained<event_loop_processes>());

}  // namespace crossover
