// The verbs of a context whose items each hold a thread or process: they block the caller.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>

#include "runtimes/blocking/async.hpp"
#include "runtimes/blocking/parker.hpp"
#include "runtimes/system/endpoint.hpp"

namespace crossover::blocking {

template <futex_scope Scope>
class basic_semaphore;
using semaphore = basic_semaphore<futex_scope::in_process>;
class verbs;

// A TCP connection owned by one item.
class stream {
  public:
    explicit stream(int descriptor) : fd_(descriptor) {}
    stream(stream&& other) noexcept : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_) {}
    stream& operator=(stream&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(ended_, other.ended_);
        return *this;
    }
    ~stream() { close(); }

    ready<std::size_t> read_some(verbs& ctx, std::span<std::byte> into, time_point deadline = never);
    ready<> write_all(verbs& ctx, std::span<const std::byte> from, time_point deadline = never);

    // Aborts the connection (linger 0) unless the peer has closed it: no port stays in TIME_WAIT.
    void close();

    int descriptor() const { return fd_; }

  private:
    int fd_;
    bool ended_ = false;  // the peer has closed
};

// The part of a blocking context that does not depend on how items are handed out.
class verbs {
  public:
    // Both outlive the context; `stop` is null in a batch that cannot be stopped.
    verbs(parker& own, const stop_state* stop) : own_(own), stop_(stop) {}

    using task = blocking::async<void>;
    template <class T>
    using async = blocking::async<T>;
    using stream = blocking::stream;
    using semaphore = blocking::semaphore;

    ready<> sleep_for(std::chrono::nanoseconds time);
    ready<stream> connect(endpoint to, time_point deadline = never);
    ready<> yield();
    ready<std::size_t> read_file(const char* path, std::span<std::byte> into);

    parker& own() { return own_; }
    const stop_state* stop() const { return stop_; }

  private:
    parker& own_;
    const stop_state* stop_;
};

}  // namespace crossover::blocking
