// A pool of threads that steal from each other. One scheduled task is one item, claimed on its own: a batch
// enters as one range of items, and whoever holds a range leaves its right half to thieves before it runs the
// rest, down to one item.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "runtimes/blocking/parker.hpp"
#include "runtimes/pool/context.hpp"
#include "runtimes/pool/idle_workers.hpp"
#include "runtimes/pool/shared_batch.hpp"
#include "runtimes/pool/task_deque.hpp"

namespace crossover::pool {

// Contention: each worker pushes and pops at its own deque and writes no line that another one writes, except
// when a task is stolen (then the victim's end, and one decrement of the batch per stolen part) and when it
// finds nothing (then idle_workers). There is no queue that all share, and no lock.
class stealing_pool;

class worker {
  public:
    worker(stealing_pool& pool, std::uint32_t id) : pool_(pool), random_(id * 2654435761U + 1) {}

    void work();  // the thread's body

    // Runs a nested batch to its end.
    void run_nested(std::size_t n, job<context> each, const void* data, const policy& rules,
                    const stop_state* outer);

    blocking::parker own;
    task_deque tasks;

    // Takes a task that belongs to `batch`, whose owner the caller is, or to a batch below it, from what this
    // worker runs for `batch`. Called by other workers.
    std::optional<task> steal_back(const shared_batch& batch);

  private:
    // What this worker has stolen and runs now, each while it waits for the one before: tasks from `base` on
    // belong to `from` or to batches below it. Bounded, because every level needs stack.
    struct theft {
        std::atomic<const shared_batch*> from{nullptr};
        std::atomic<task_deque::position> base{0};
    };
    static constexpr std::size_t most_thefts = 16;

    std::uint32_t run_task(task t);
    std::uint32_t run_own(task first, task_deque::position base);
    void run_stolen(const task& t);
    void await_thieves(shared_batch& batch);
    bool help(shared_batch& batch);
    std::optional<task> find();
    std::optional<task> search();

    stealing_pool& pool_;
    std::uint32_t random_;
    alignas(64) std::array<theft, most_thefts> thefts_;
    std::atomic<std::size_t> depth_{0};  // of thefts_
};

class stealing_pool {
  public:
    using context = pool::context;

    // Starts the threads. Throws `refused`, with the limits, when the system does not give them.
    explicit stealing_pool(std::size_t workers);
    ~stealing_pool();
    stealing_pool(const stealing_pool&) = delete;
    stealing_pool& operator=(const stealing_pool&) = delete;

    void run(std::size_t n, job<context> each, const void* batch, const policy& rules);

    std::size_t size() const { return workers_.size(); }

  private:
    friend class worker;

    void stop_threads();
    void wake_blocked();

    std::vector<std::unique_ptr<worker>> workers_;
    task_deque entrance_;  // where the thread that calls run() leaves its batches
    idle_workers idle_;
    std::atomic<bool> closing_{false};
    std::uint32_t
        may_spin_;  // how many workers may search at length: more than cores only get in each other's way
    std::vector<std::thread> threads_;
};

}  // namespace crossover::pool
