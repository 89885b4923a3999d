// The wait of a library that knows no event loop: a system call that holds its thread.
#include "workloads/lessons/blocking_wait.hpp"

#include <time.h>

#include <cerrno>

namespace crossover {

void blocking_wait(std::chrono::nanoseconds time) {
    const auto end = std::chrono::steady_clock::now().time_since_epoch() + time;
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(end);
    timespec until{};
    until.tv_sec = whole.count();
    until.tv_nsec = std::chrono::nanoseconds(end - whole).count();
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
}

}  // namespace crossover
