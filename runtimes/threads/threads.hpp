// A pool of threads: the scheduler on private futexes and the heap.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "runtimes/scheduler/worker.hpp"
#include "runtimes/system/private_pages.hpp"

namespace crossover::pool {

class threads final : substrate {
  public:
    static constexpr futex_scope scope = futex_scope::in_process;
    using context = pool::context<scope>;

    // Starts the threads. One that finds nothing to do looks on for `look` before it sleeps. Throws
    // `refused`, with the limits, when the system does not give them.
    threads(std::size_t workers, std::chrono::nanoseconds look);
    ~threads();
    threads(const threads&) = delete;
    threads& operator=(const threads&) = delete;

    // As runtime::run. The caller sleeps until all items have ended.
    void run(std::size_t n, job<context> item_job, const void* batch, const policy& rules);

    std::size_t size() const { return all_.workers; }

  private:
    void part_done(std::size_t) override {}
    void batch_ended() override;
    void work(std::size_t id);
    void close();

    std::unique_ptr<worker_slot<scope>[]> slots_;
    scheduler<scope> all_;
    private_pages frames_;                   // of all workers' coroutines
    std::atomic<std::uint32_t> endings_{0};  // of batches: what the caller sleeps on
    std::vector<std::thread> threads_;
};

}  // namespace crossover::pool
