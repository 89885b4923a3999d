// Futex and poll waits that end early when the batch is stopped.
#include "runtimes/blocking/parker.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "runtimes/system/limits/limits.hpp"

namespace crossover::blocking {

parker::~parker() {
    if (int fd = event_.load(); fd >= 0) ::close(fd);
}

void parker::wake() {
    word_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(word_, 1, scope_);
    if (int fd = event_.load(std::memory_order_seq_cst); fd >= 0) {
        std::uint64_t one = 1;
        [[maybe_unused]] auto written = ::write(fd, &one, sizeof one);  // full: it is readable already
    }
}

bool parker::wait(const stop_state* stop, const std::atomic<std::uint32_t>* word, std::uint32_t expected,
                  time_point until) {
    std::uint32_t own = word_.load(std::memory_order_seq_cst);
    check(stop);
    time_point latest = stop ? std::min(until, stop->deadline()) : until;
    if (word && (!stop || stop->interrupts()))
        futex_wait(*word, expected, scope_, latest);
    else if (!word)
        futex_wait(word_, own, scope_, latest);
    else
        futex_wait(*word, expected, word_, own, scope_, latest);
    check(stop);
    return until == never || std::chrono::steady_clock::now() < until;
}

void parker::open_event() {
    if (event_.load() >= 0) return;
    int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        refuse_if_out_of_descriptors(errno, "eventfd");
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    event_.store(fd, std::memory_order_seq_cst);
}

bool parker::wait_ready(const stop_state* stop, int descriptor, short events, time_point until) {
    std::array<pollfd, 2> watched{{{descriptor, events, 0}, {-1, POLLIN, 0}}};
    if (stop) {
        open_event();
        watched[1].fd = event_.load(std::memory_order_relaxed);
    }
    check(stop);
    time_point latest = stop ? std::min(until, stop->deadline()) : until;
    timespec left{};
    if (latest != never) {
        time_point now = std::chrono::steady_clock::now();
        std::int64_t ns = latest > now ? (latest - now).count() : 0;
        left = {ns / 1'000'000'000, ns % 1'000'000'000};
    }
    int n = ::ppoll(watched.data(), stop ? 2 : 1, latest == never ? nullptr : &left, nullptr);
    if (n < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
    if (watched[1].revents) {
        std::uint64_t count = 0;
        [[maybe_unused]] auto emptied = ::read(watched[1].fd, &count, sizeof count);
    }
    check(stop);
    return n > 0 || until == never || std::chrono::steady_clock::now() < until;
}

}  // namespace crossover::blocking
