// Worker processes that get one item at a time, each over a socket: the caller's side.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/pipes/line.hpp"
#include "runtimes/processes/pipes/worker.hpp"
#include "runtimes/processes/process_supervisor.hpp"

namespace crossover::pipes {

class pool {
  public:
    // `who` is named in errors. Throws `refused` when the process has threads, or lacks memory, descriptors
    // or processes for the workers.
    pool(const char* who, arena& memory, std::size_t workers);
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    std::size_t size() const { return partners_.size(); }

    // Besides the workers: the caller, and the zygote that forks them.
    resource_use resources() const {
        return {.threads = size() + 2, .processes = size() + 2, .stack_bytes = stack_bytes};
    }

    // As runtime::run. The caller sleeps until a worker answers.
    void run(std::size_t n, job<context> item_job, const void* batch, policy rules, const extents& of_batch);

    // Asks the workers.
    usage used();
    // Of the workers that are there.
    std::span<const int> ids() const { return present_; }

  private:
    // A worker as the caller sees it. Both ends stay open here: a worker that is gone is replaced by another
    // at the same line.
    struct partner {
        partner(int own, int of_worker) : own_end(own), worker_end(of_worker), over(own) {}

        int own_end, worker_end;
        line over;
        pid_t process = -1;
        bool awaited = false;  // has been ordered from the zygote
        bool busy = false;     // has not answered its last order
        bool knows_batch = false;
        bool given_again = false;  // a worker has died before it read this order
        std::size_t item = 0;
        usage used;
    };
    struct running;

    [[noreturn]] static void work_at(void* pool_before_the_fork, std::size_t id);

    void open_lines(std::size_t workers);
    void close_lines();
    void open();
    void replace_the_missing();
    void await_workers();
    void start(std::size_t id);

    void hand_out();
    void give(partner& p, std::size_t item);
    void send(partner& p);
    void release(partner& p);
    void await();
    void collect(partner& p);
    void stop_busy();

    void listen();
    void handle(const processes::process_supervisor::report& r);
    void reap(std::size_t id, int status);
    static bool untouched(const partner& p);
    void lose(partner& p, ended how, std::string_view text, int signal = 0);
    void reap_all();
    void note_present();

    const char* who_;
    arena& memory_;
    std::size_t mark_;  // of the arena, before the pool took its part
    std::size_t end_;   // and after
    std::vector<processes::stack> stacks_;
    std::vector<partner> partners_;
    std::size_t busy_ = 0;
    std::vector<pollfd> watched_;
    std::unique_ptr<processes::process_supervisor> supervisor_;
    running* running_ = nullptr;
    usage of_the_dead_;
    std::vector<int> present_;
    int refusal_ = 0;  // why a worker could not be started: errno

    static constexpr std::size_t stack_bytes = std::size_t{8} << 20;
};

}  // namespace crossover::pipes
