// Kills a worker from outside.
#pragma once

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace crossover::deaths_test {

// kill(-1) would end every process of the machine.
inline void kill_process(int id) {
    if (id <= 0) throw std::logic_error("not the id of a process");
    ::kill(id, SIGKILL);
}

// Returns once it has died: the signal takes a while to reach a process that runs on another core, and
// meanwhile that might take an item of a new batch. One that is dead and reaped already is no error.
inline void kill_idle(int id) {
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, id, 0));
    kill_process(id);
    if (process < 0) return;
    pollfd ended{process, POLLIN, 0};
    ::poll(&ended, 1, -1);
    ::close(process);
}

}  // namespace crossover::deaths_test
