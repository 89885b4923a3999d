// The futex: a thread sleeps until a word changes.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>

#include "runtimes/system/bounds.hpp"

namespace crossover {

// Who may sleep on a word. The kernel finds a word of one process by its address; for memory that processes
// share it has to look up the page.
enum class futex_scope { in_process, shared };

namespace detail {

constexpr int futex_flag(futex_scope scope) {
    return scope == futex_scope::in_process ? FUTEX_PRIVATE_FLAG : 0;
}

inline timespec futex_time(time_point t) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
    return {since / 1'000'000'000, since % 1'000'000'000};
}

// Older kernels (before 5.16) cannot wait on two words, and filters may withhold it. No words are an error of
// their own.
inline bool futex_takes_two() {
    static const bool available = [] {
        return ::syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0) == -1 && errno == EINVAL;
    }();
    return available;
}

}  // namespace detail

// Blocks while `word` is `expected`, until woken or until `until`; may return early.
inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected, futex_scope scope,
                       time_point until = never) {
    const timespec at = detail::futex_time(until);
    ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | detail::futex_flag(scope), expected,
              until == never ? nullptr : &at, nullptr, FUTEX_BITSET_MATCH_ANY);
}

// The same for two words: blocks while both are as expected. Where the kernel cannot, the caller sees a
// change of the second a few milliseconds late.
inline void futex_wait(const std::atomic<std::uint32_t>& a, std::uint32_t expected_a,
                       const std::atomic<std::uint32_t>& b, std::uint32_t expected_b, futex_scope scope,
                       time_point until) {
    constexpr auto look_up_every = std::chrono::milliseconds(5);
    if (!detail::futex_takes_two()) {
        futex_wait(a, expected_a, scope, std::min(until, std::chrono::steady_clock::now() + look_up_every));
        return;
    }
    const auto flags = static_cast<std::uint32_t>(FUTEX_32 | detail::futex_flag(scope));
    std::array<futex_waitv, 2> both{};
    both[0] = {expected_a, reinterpret_cast<std::uintptr_t>(&a), flags, 0};
    both[1] = {expected_b, reinterpret_cast<std::uintptr_t>(&b), flags, 0};
    const timespec at = detail::futex_time(until);
    ::syscall(SYS_futex_waitv, both.data(), both.size(), 0, until == never ? nullptr : &at, CLOCK_MONOTONIC);
}

// Wakes at most `how_many` of those that sleep on `word`.
inline void futex_wake(const std::atomic<std::uint32_t>& word, std::uint32_t how_many, futex_scope scope) {
    ::syscall(SYS_futex, &word, FUTEX_WAKE | detail::futex_flag(scope), how_many, nullptr, nullptr, 0);
}

}  // namespace crossover
