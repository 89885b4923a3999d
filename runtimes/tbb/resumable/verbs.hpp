// The verbs of a context whose items are TBB tasks: a waiting item suspends its task and frees the thread.
#pragma once

#include <cstddef>
#include <span>

#include "runtimes/blocking/async.hpp"
#include "runtimes/suspending/executor.hpp"
#include "runtimes/suspending/suspending.hpp"
#include "runtimes/suspending/suspending_stream.hpp"
#include "runtimes/system/endpoint.hpp"
#include "runtimes/tbb/resumable/waiting.hpp"

namespace crossover::resumable {

using blocking::ready;

// The part of a context that does not depend on how items are handed out. After each of them the item may be
// on another thread.
class verbs {
  public:
    verbs(watcher& by, cross_thread::executor& beside, const stop_state* stop)
        : by_(by), beside_(beside), stop_(stop) {}
    // The same with another stop.
    verbs(const verbs& as, const stop_state* stop) : by_(as.by_), beside_(as.beside_), stop_(stop) {}

    using task = blocking::async<void>;
    template <class T>
    using async = blocking::async<T>;
    using stream = suspending_stream<verbs>;

    ready<> sleep_for(std::chrono::nanoseconds time);
    ready<stream> connect(endpoint to, time_point deadline = never);
    ready<> yield();
    // Reads on the worker's own thread, as TBB code does: no item runs there meanwhile. In the executor a
    // read from the page cache took three times the CPU time and longer.
    ready<std::size_t> read_file(const char* path, std::span<std::byte> into);
    ready<> offload(void (*function)(void*), void* argument);

    watcher& by() { return by_; }
    const stop_state* stop() const { return stop_; }

    // Suspends until the descriptor may be ready; throws `cancelled` or timed_out.
    void await_descriptor(int descriptor, direction d, time_point deadline, const char* what);

  private:
    watcher& by_;
    cross_thread::executor& beside_;
    const stop_state* stop_;
};

// Waits for another item.
class turn : public waiting {
  public:
    explicit turn(verbs& ctx) : waiting(ctx.by(), ctx.stop()) {}
};

using semaphore = cross_thread::suspending_semaphore<verbs, turn>;
template <class T>
using channel = cross_thread::suspending_channel<verbs, turn, T>;

}  // namespace crossover::resumable
