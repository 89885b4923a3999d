// Futex and poll waits that end early when the batch is stopped.
#include "runtimes/blocking/parker.hpp"

#include <linux/futex.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>

#include "runtimes/limits.hpp"

namespace crossover::blocking {

namespace {

// Shared futexes (no FUTEX_PRIVATE_FLAG), because the words of process workers lie in shared memory.
long futex(const std::atomic<std::uint32_t>& word, int operation, std::uint32_t value,
           const timespec* until) {
    return ::syscall(SYS_futex, &word, operation, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

timespec absolute(time_point t) {
    auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
    return {since / 1'000'000'000, since % 1'000'000'000};
}

// Older kernels (before 5.16) cannot wait on two words: there the worker looks up every few milliseconds.
constexpr auto look_up_every = std::chrono::milliseconds(5);

bool can_wait_on_two() {
    static const bool available = [] {
        long r = ::syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0);
        return r != -1 || errno != ENOSYS;
    }();
    return available;
}

void wait_on_one(const std::atomic<std::uint32_t>& word, std::uint32_t expected, time_point until) {
    timespec at = absolute(until);
    futex(word, FUTEX_WAIT_BITSET, expected, until == never ? nullptr : &at);
}

void wait_on_two(const std::atomic<std::uint32_t>& a, std::uint32_t expected_a,
                 const std::atomic<std::uint32_t>& b, std::uint32_t expected_b, time_point until) {
    if (!can_wait_on_two()) {
        wait_on_one(a, expected_a, std::min(until, std::chrono::steady_clock::now() + look_up_every));
        return;
    }
    std::array<futex_waitv, 2> both{};
    both[0] = {expected_a, reinterpret_cast<std::uintptr_t>(&a), FUTEX_32, 0};
    both[1] = {expected_b, reinterpret_cast<std::uintptr_t>(&b), FUTEX_32, 0};
    timespec at = absolute(until);
    ::syscall(SYS_futex_waitv, both.data(), both.size(), 0, until == never ? nullptr : &at, CLOCK_MONOTONIC);
}

}  // namespace

parker::~parker() {
    if (int fd = event_.load(); fd >= 0) ::close(fd);
}

void parker::wake() {
    word_.fetch_add(1, std::memory_order_seq_cst);
    futex(word_, FUTEX_WAKE_BITSET, 1, nullptr);
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
        wait_on_one(*word, expected, latest);
    else if (!word)
        wait_on_one(word_, own, latest);
    else
        wait_on_two(*word, expected, word_, own, latest);
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
