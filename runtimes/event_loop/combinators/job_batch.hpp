// job_batch: n jobs with a bound on how many are alive, each called from the ready queue; what gather would
// be without its lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <vector>

#include "runtimes/event_loop/loop/waiting.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

// Awaiting it starts job(context, i) for each i in [0, n) in order, and ends when all that were started have
// ended. A job that is a plain function returns coro<void>(); a job that is a coroutine runs as a task of its
// own, which all_tasks() lists. Cancelling the awaiting task stops the batch; the await throws
// cancelled_error once all jobs have ended.
class [[nodiscard]] job_batch : pending {
  public:
    using job_function = coro<void> (*)(void* context, std::size_t index);
    // How a job ended; null: well. Called in the loop, before the batch goes on. Must not throw; may call
    // stop().
    using ended_function = void (*)(void* context, std::size_t index, const std::exception_ptr& error);

    // At most 2^32 jobs; `in_flight` is at least 1.
    job_batch(std::size_t n, std::size_t in_flight, job_function job, ended_function ended, void* context);
    job_batch(const job_batch&) = delete;
    job_batch& operator=(const job_batch&) = delete;
    ~job_batch();

    // Starts no more jobs and cancels those that are alive.
    void stop();
    bool stopped() const noexcept { return stopped_; }

    bool await_ready() const noexcept { return next_ == n_; }
    void await_suspend(std::coroutine_handle<> h);
    void await_resume() const;

  private:
    // One place in the ready queue. A few dozen of them take the jobs in turn, so that an iteration runs that
    // many.
    struct lane : node {
        explicit lane(job_batch& b) noexcept : node(&run_lane), owner(b) {}
        job_batch& owner;
    };
    static constexpr std::size_t most_lanes = 64;

    // Tells of the end of each job that was a coroutine; shared by all, for nobody else subscribes to them.
    struct job_end : completion {
        explicit job_end(job_batch& b) noexcept : completion(&on_end), owner(b) {}
        job_batch& owner;
    };

    static void run_lane(node& n);
    static void on_end(completion& c, outcome& o);
    bool cancel(task_state& t, std::string_view message) override;
    std::string describe() const override;
    void start_next();
    void end_if_done() noexcept;

    std::size_t n_;
    std::size_t in_flight_;
    std::size_t next_ = 0;
    std::size_t alive_ = 0;
    std::size_t queued_ = 0;  // lanes in the ready queue, or running
    job_function job_;
    ended_function ended_;
    void* context_;
    loop* loop_ = nullptr;
    task_state* waiter_ = nullptr;
    lane* lanes_ = nullptr;
    std::size_t lane_count_ = 0;
    node_list idle_;
    job_end end_;
    bool stopped_ = false;
};

}  // namespace crossover::asyncio
