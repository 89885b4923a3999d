// epoll_wait with a timeout in nanoseconds, or in milliseconds if the system lacks that call.
#pragma once

#include <sys/epoll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>

#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// As epoll_wait; a negative timeout has no end. May return up to a millisecond late, or early if it is long.
inline int epoll_wait_for(int epoll, epoll_event* events, int most,
                          std::chrono::nanoseconds timeout) noexcept {
    using namespace std::chrono;
    static std::atomic<bool> takes_nanoseconds{true};  // epoll_pwait2 came with Linux 5.11
    if (timeout.count() <= 0) return ::epoll_wait(epoll, events, most, timeout.count() < 0 ? -1 : 0);
    if (takes_nanoseconds.load(std::memory_order_relaxed)) {
        const auto whole = duration_cast<seconds>(timeout);
        const timespec time{static_cast<time_t>(whole.count()), static_cast<long>((timeout - whole).count())};
        const int n = ::epoll_pwait2(epoll, events, most, &time, nullptr);
        if (n >= 0 || !is_withheld(errno)) return n;
        takes_nanoseconds.store(false, std::memory_order_relaxed);
    }
    constexpr milliseconds longest{1'000'000};
    return ::epoll_wait(epoll, events, most,
                        static_cast<int>(std::min(ceil<milliseconds>(timeout), longest).count()));
}

}  // namespace crossover
