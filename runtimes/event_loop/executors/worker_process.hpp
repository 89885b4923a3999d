// Worker processes, and the process that forks them.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "runtimes/system/process_mark.hpp"

namespace crossover::asyncio {

// A child that calls functions: it reads requests from the other end of `socket` and writes replies.
struct worker_process {
    int socket = -1;   // the caller's
    int process = -1;  // a pidfd, the caller's; -1 if the child was dead at once, or there is none
    pid_t id = 0;      // stays the child's until it is reaped
};

// What goes before each request and each reply.
struct worker_message {
    enum class kind : std::uint32_t { call, result, exception };
    std::uint64_t bytes = 0;
    kind what = kind::call;
    std::uint32_t unused = 0;
};

// Forked once, with one thread and few descriptors, so that workers can be forked at any time. It ends when
// this object does or this process dies, and its workers are killed with it.
class worker_supervisor {
  public:
    // Throws std::system_error.
    worker_supervisor();
    worker_supervisor(const worker_supervisor&) = delete;
    worker_supervisor& operator=(const worker_supervisor&) = delete;
    ~worker_supervisor();

    // Takes about as long as a fork. Throws std::system_error: the system refuses another process, or the
    // supervisor is dead (ESRCH).
    worker_process start();

    // Kills the worker unless it is dead, and tells how it ended, as waitpid does; 0 if the supervisor is
    // dead. Takes as long as a process takes to end. To be called once for each worker.
    int reap(pid_t worker) noexcept;

    // False in a child that the caller's process forks by itself: there it starts and ends no worker.
    bool of_this_process() const noexcept { return mark_.of_this_process(); }

  private:
    struct request;
    struct reply;

    [[noreturn]] static void supervise(int control);

    process_mark mark_;
    int control_ = -1;
    pid_t process_ = -1;
};

}  // namespace crossover::asyncio
