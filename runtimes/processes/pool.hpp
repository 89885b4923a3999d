// A pool of worker processes that persist over batches: the parent's side.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtimes/processes/nursery.hpp"
#include "runtimes/processes/worker.hpp"
#include "runtimes/runtime.hpp"

namespace crossover::processes {

class pool {
  public:
    using context = processes::context;

    static constexpr std::size_t most_workers = worker_set::capacity;

    // `who` is named in errors. A worker that finds nothing to do looks on for `patience` before it sleeps.
    // Throws `refused` when the process has threads, or lacks memory, descriptors or processes for the
    // workers.
    pool(const char* who, arena& memory, std::size_t workers, std::chrono::nanoseconds patience);
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    std::size_t size() const { return floor_->workers; }

    // Besides the workers: the caller, and the zygote that forks them.
    resources held() const {
        return {.threads = size() + 2, .processes = size() + 2, .stack_bytes = stack_bytes};
    }

    // As runtime::run. The caller sleeps until all items have ended.
    void run(std::size_t n, job<context> each, const void* batch, policy rules);

    usage used() const;
    // Of the workers that are there: never -1, which kill() takes for everybody.
    std::span<const int> ids() const { return present_; }

    // Reserved for a worker: as much as a thread has by default, because trees grow deep on it.
    static constexpr std::size_t stack_bytes = std::size_t{8} << 20;

  private:
    struct running;

    void open();
    void staff();
    void share_out(std::size_t base, std::size_t n, std::size_t most);
    void await_rest();
    void listen();
    void hear(const nursery::report& r);
    void fail(std::size_t id, std::size_t item, std::string_view what, int signal);
    void bury_all();
    void kill_working();
    void interrupt_working();
    std::uint64_t working() const;
    void recover();
    void replace_the_dead();
    void note_present();
    void start(std::size_t id);
    void release();

    const char* who_;
    arena& memory_;
    std::size_t mark_;  // of the arena, before the pool took its part
    std::size_t end_;   // and after
    floor* floor_;
    running* running_;
    std::vector<stack> stacks_;
    std::vector<int> ids_;       // -1: not there
    std::vector<int> present_;   // the others
    std::uint64_t awaited_ = 0;  // those that have been ordered and not yet reported
    std::unique_ptr<nursery> nursery_;
    usage of_the_dead_;
    bool in_batch_ = false;
    time_point lost_since_ = never;  // of the running batch
    int refusal_ = 0;                // why a worker could not be started: errno
};

}  // namespace crossover::processes
