// A pool of worker processes that persist over batches: the scheduler on shared futexes and the arena, and
// recovery after a worker's death.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/process_supervisor.hpp"
#include "runtimes/scheduler/worker.hpp"

namespace crossover::processes {

class pool final : public crossover::pool::substrate {
  public:
    static constexpr futex_scope scope = futex_scope::shared;
    using context = crossover::pool::context<scope>;

    // `who` is named in errors. A worker that finds nothing to do looks on for `look` before it sleeps.
    // Throws `refused` when the process has threads, or lacks memory, descriptors or processes for the
    // workers.
    pool(const char* who, arena& memory, std::size_t workers, std::chrono::nanoseconds look);
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    std::size_t size() const { return members_.size(); }

    // Besides the workers: the caller, and the zygote that forks them.
    resource_use resources() const {
        return {.threads = size() + 2, .processes = size() + 2, .stack_bytes = stack_bytes};
    }

    // As runtime::run. The caller sleeps until all items have ended.
    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

    usage used() const;
    // Of the workers that are there: never -1, which kill() takes for everybody.
    std::span<const int> ids() const { return present_; }

    // Reserved for a worker: as much as a thread has by default, because trees grow deep on it.
    static constexpr std::size_t stack_bytes = std::size_t{8} << 20;

  private:
    using slot = crossover::pool::worker_slot<scope>;
    using scheduler = crossover::pool::scheduler<scope>;

    struct member {
        int process = -1;
        bool ordered = false;  // from the zygote, which has not answered yet
    };

    // In a worker.
    [[noreturn]] static void work_at(void* shared, std::size_t id);
    void part_done(std::size_t id) override;
    void batch_ended() override;

    void open();
    void await_workers();
    void await_end();
    void listen();
    void handle(const process_supervisor::report& r);
    void note_death(std::size_t id, int status);
    void fail(std::size_t id, std::size_t item, std::string_view what, int signal);
    void reap_all();
    bool lost() const { return lost_since_ != never; }
    bool ended() const;
    // Calls visit(id) for each worker that neither rests nor is dead.
    template <class Visit>
    void for_working(Visit visit) const;
    void recover();
    void replace_the_dead();
    void note_present();
    void start(std::size_t id);
    void release();

    const char* who_;
    arena& memory_;
    std::size_t mark_;     // of the arena, before the pool took its part
    std::size_t end_;      // and after
    int completion_ = -1;  // eventfd
    std::span<slot> slots_;
    std::span<usage> used_;  // of each worker, up to the last part of a batch that it has done
    scheduler* all_;
    batch_state* state_;  // of the running batch
    std::vector<stack> stacks_;
    std::vector<member> members_;
    std::vector<int> present_;
    std::unique_ptr<process_supervisor> supervisor_;
    usage of_the_dead_;
    bool in_batch_ = false;
    time_point lost_since_ = never;  // of the running batch: a worker has died at work
    int refusal_ = 0;                // why a worker could not be started: errno
};

}  // namespace crossover::processes
