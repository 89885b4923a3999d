// The interface to the kernel: readiness of descriptors, timers, and waking the thread that waits.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <stdexcept>

#include "runtimes/system/node.hpp"
#include "runtimes/system/process_mark.hpp"

namespace crossover {

enum class direction : unsigned char { readable, writable };

// The pattern of every use: try the operation; at -EAGAIN wait(); when the node runs, try again.
//
//     ssize_t n = r.recv(fd, buffer);
//     if (n == -EAGAIN && !r.wait(fd, direction::readable, node)) suspend until node.run is called
//
// Readiness is a hint: after a wake the operation may answer -EAGAIN once more. What has come stays in the
// kernel until it is asked for, so that a wait can be taken back at any time and nothing is lost.
//
// Threads: one thread at a time calls poll(); notify() may be called from any thread. Whether the rest may be
// called from other threads than the polling one is the back end's promise. Per descriptor and direction
// there is at most one waiter.
//
// In a child that fork() has made it is the parent's: attach(), wait() and poll() throw std::logic_error, the
// others leave alone what parent and child share, and close() closes the child's descriptor.
class reactor {
  public:
    reactor() = default;
    reactor(const reactor&) = delete;
    reactor& operator=(const reactor&) = delete;
    virtual ~reactor() = default;

    virtual const char* name() const noexcept = 0;

    // Begins to watch a non-blocking descriptor. Throws std::system_error: EEXIST if it is watched already,
    // EPERM if the kernel cannot watch this kind (a file).
    virtual void attach(int fd) = 0;
    // Ends it; the descriptor lives on. Nobody may be waiting for it.
    virtual void detach(int fd) noexcept = 0;
    // Ends it and closes the descriptor. Nobody may be waiting for it.
    virtual void close(int fd) noexcept = 0;
    // How many descriptors are attached: with none, polling without sleeping finds nothing.
    virtual std::size_t attached() const noexcept = 0;

    // Returns true if the descriptor became ready since the last wake: try again now, the node is not kept.
    // Otherwise keeps the node until poll() hands it out or cancel() takes it back. Throws std::system_error:
    // EBADF not attached, EBUSY a second waiter.
    [[nodiscard]] virtual bool wait(int fd, direction d, node& n) = 0;
    // True: the node will not be handed out, and of what send() has kept nothing goes out later. False: a
    // poll() has already put it on its list.
    virtual bool cancel(int fd, direction d, node& n) noexcept = 0;

    // Appends the nodes that became ready, without running them. Sleeps until there is one, notify() is
    // called, a signal comes or the time is over; zero does not sleep, a negative time has no end.
    virtual void poll(std::chrono::nanoseconds timeout, node_list& ready) = 0;
    // Ends the present or, if none is under way, the next sleep in poll(). Cheap unless the poller really
    // sleeps.
    virtual void notify() noexcept = 0;

    // Socket operations that never block: a count (or a new descriptor, non-blocking and close-on-exec), or
    // -errno.
    virtual ssize_t recv(int fd, std::span<std::byte> to) noexcept = 0;
    virtual ssize_t send(int fd, std::span<const std::byte> from) noexcept = 0;
    // A back end may keep what send() took until the next poll(). 0: all of it is with the kernel; -EAGAIN:
    // not yet, a waiter for writable is told when it is; else the error of an earlier send(). Whoever lets
    // others use the descriptor waits for it first.
    virtual int flush(int) noexcept { return 0; }
    // As send(), and keeps nothing.
    virtual ssize_t send_now(int fd, std::span<const std::byte> from) noexcept { return send(fd, from); }
    virtual int accept(int fd) noexcept = 0;
    // Ends the stream towards the peer, after all that was sent before.
    virtual int shut_down_sending(int fd) noexcept = 0;

    bool of_this_process() const noexcept { return mark_.of_this_process(); }

  protected:
    void expect_this_process() const {
        if (!of_this_process())
            throw std::logic_error(
                "an event loop belongs to the process that made it: make another in the child of a fork()");
    }

  private:
    process_mark mark_;
};

}  // namespace crossover
