// The verbs of a context whose items are TBB tasks: what waits suspends its task and frees the thread.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "runtimes/blocking/async.hpp"
#include "runtimes/endpoint.hpp"
#include "runtimes/handover/executor.hpp"
#include "runtimes/handover/suspending.hpp"
#include "runtimes/resumable/waiting.hpp"

namespace crossover::resumable {

using blocking::ready;

class verbs;

// A TCP connection owned by one item.
class stream {
  public:
    stream(watcher& by, int descriptor);
    stream(stream&& other) noexcept
        : by_(other.by_), fd_(std::exchange(other.fd_, -1)), ended_(other.ended_) {}
    stream& operator=(stream&& other) noexcept {
        std::swap(by_, other.by_);
        std::swap(fd_, other.fd_);
        std::swap(ended_, other.ended_);
        return *this;
    }
    ~stream() { close(); }

    ready<std::size_t> read_some(verbs& ctx, std::span<std::byte> into, time_point deadline = never);
    ready<> write_all(verbs& ctx, std::span<const std::byte> from, time_point deadline = never);
    // Aborts the connection (linger 0) unless the peer has closed it.
    void close();

    int descriptor() const { return fd_; }

  private:
    watcher* by_;
    int fd_;
    bool ended_ = false;
};

// The part of a context that does not depend on how items are handed out. After each of them the item may be
// on another thread.
class verbs {
  public:
    verbs(watcher& by, handover::executor& beside, const stop_state* stop)
        : by_(by), beside_(beside), stop_(stop) {}
    // The same with another stop.
    verbs(const verbs& as, const stop_state* stop) : by_(as.by_), beside_(as.beside_), stop_(stop) {}

    using stream = resumable::stream;

    ready<> sleep_for(std::chrono::nanoseconds time);
    ready<stream> connect(endpoint to, time_point deadline = never);
    ready<> yield();
    // Reads on the worker's own thread, as TBB code does: no item runs there meanwhile.
    ready<std::size_t> read_file(const char* path, std::span<std::byte> into);
    ready<> offload(void (*function)(void*), void* argument);

    watcher& by() { return by_; }
    const stop_state* stop() const { return stop_; }

    // Suspends until the descriptor may be ready; throws `cancelled` or timed_out.
    void await_descriptor(int descriptor, direction d, time_point deadline, const char* what);

  private:
    watcher& by_;
    handover::executor& beside_;
    const stop_state* stop_;
};

// Waits for another item.
class turn : public waiting {
  public:
    explicit turn(verbs& ctx) : waiting(ctx.by(), ctx.stop()) {}
};

using semaphore = handover::suspending_semaphore<verbs, turn>;
template <class T>
using channel = handover::suspending_channel<verbs, turn, T>;

}  // namespace crossover::resumable
