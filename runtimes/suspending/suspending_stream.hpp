// The TCP connection of an item whose stack is suspended while it waits for the reactor: a fiber, a TBB task.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include "runtimes/blocking/async.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/reactor/reactor.hpp"
#include "runtimes/system/endpoint.hpp"
#include "runtimes/system/sockets.hpp"

namespace crossover {

// Owned by one item. `Verbs` is the model's context, whose
//   await_descriptor(descriptor, direction, deadline, what)
// suspends the item until the descriptor may be ready, and throws `cancelled` or timed_out.
template <class Verbs>
class suspending_stream {
  public:
    // Owns the descriptor, which `by` watches from here on.
    suspending_stream(reactor& by, int descriptor) : by_(&by), fd_(descriptor) {
        try {
            by.attach(descriptor);
        } catch (...) {
            ::close(descriptor);
            throw;
        }
    }
    suspending_stream(suspending_stream&& other) noexcept
        : by_(other.by_), fd_(std::exchange(other.fd_, -1)), ended_(other.ended_) {}
    suspending_stream& operator=(suspending_stream&& other) noexcept {
        std::swap(by_, other.by_);
        std::swap(fd_, other.fd_);
        std::swap(ended_, other.ended_);
        return *this;
    }
    ~suspending_stream() { close(); }

    static blocking::ready<suspending_stream> connect(Verbs& ctx, reactor& by, endpoint to,
                                                      time_point deadline) {
        check(ctx.stop());
        const int descriptor = sockets::open_tcp(SOCK_NONBLOCK);
        bool connected = false;
        try {
            connected = sockets::start_connect(descriptor, to);
        } catch (...) {
            ::close(descriptor);
            throw;
        }
        // Watched only from here on: the reactor would take an unconnected socket for one that is ready.
        suspending_stream made(by, descriptor);
        if (!connected) {
            ctx.await_descriptor(descriptor, direction::writable, deadline, "connect");
            sockets::finish_connect(descriptor);
        }
        return blocking::ready<suspending_stream>(std::move(made));
    }

    blocking::ready<std::size_t> read_some(Verbs& ctx, std::span<std::byte> into,
                                           time_point deadline = never) {
        check(ctx.stop());
        for (;;) {
            const ssize_t n = by_->recv(fd_, into);
            if (n >= 0) {
                if (n == 0 && !into.empty()) ended_ = true;
                return blocking::ready<std::size_t>(static_cast<std::size_t>(n));
            }
            if (n != -EAGAIN) fail(n, "read");
            ctx.await_descriptor(fd_, direction::readable, deadline, "read");
        }
    }

    blocking::ready<> write_all(Verbs& ctx, std::span<const std::byte> from, time_point deadline = never) {
        check(ctx.stop());
        while (!from.empty()) {
            const ssize_t n = by_->send(fd_, from);
            if (n >= 0)
                from = from.subspan(static_cast<std::size_t>(n));
            else if (n == -EAGAIN)
                ctx.await_descriptor(fd_, direction::writable, deadline, "write");
            else
                fail(n, "write");
        }
        return {};
    }

    // Aborts the connection (linger 0) unless the peer has closed it.
    void close() {
        if (fd_ < 0) return;
        if (!ended_) sockets::abort_on_close(fd_);
        by_->close(std::exchange(fd_, -1));
    }

  private:
    [[noreturn]] static void fail(ssize_t negated, const char* what) {
        throw std::system_error(static_cast<int>(-negated), std::generic_category(), what);
    }

    reactor* by_;
    int fd_;
    bool ended_ = false;
};

}  // namespace crossover
