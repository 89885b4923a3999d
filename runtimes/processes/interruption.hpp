// The signal that ends blocked system calls of processes whose batch is lost.
#pragma once

#include <sys/types.h>

#include <csignal>

namespace crossover::processes {

// SIGURG, which does nothing to a process that does not expect it.
inline void interrupt(pid_t process) {
    if (process > 0) ::kill(process, SIGURG);
}

// Lets interrupt() end system calls of this process and of those it forks, and call `handler`. It may come
// just before the call: repeat it.
inline void allow_interruption(void (*handler)(int) = [](int) {}) {
    struct sigaction act {};
    act.sa_handler = handler;
    ::sigaction(SIGURG, &act, nullptr);
}

}  // namespace crossover::processes
