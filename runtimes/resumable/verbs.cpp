// Sockets through the watcher's reactor, sleeps through its timers.
#include "runtimes/resumable/verbs.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "runtimes/files.hpp"
#include "runtimes/sockets.hpp"

namespace crossover::resumable {

stream::stream(watcher& by, int descriptor) : by_(&by), fd_(descriptor) {
    try {
        by.reactor().attach(descriptor);
    } catch (...) {
        ::close(descriptor);
        throw;
    }
}

void stream::close() {
    if (fd_ < 0) return;
    if (!ended_) sockets::abort_on_close(fd_);
    by_->reactor().close(std::exchange(fd_, -1));
}

void verbs::await_descriptor(int descriptor, direction d, time_point deadline, const char* what) {
    waiting self(by_, stop_);
    self.suspend_for(descriptor, d, deadline);
    check(stop_);
    if (deadline != never && std::chrono::steady_clock::now() >= deadline)
        throw timed_out(std::string(what) + " passed its deadline");
}

ready<std::size_t> stream::read_some(verbs& ctx, std::span<std::byte> into, time_point deadline) {
    check(ctx.stop());
    for (;;) {
        ssize_t n = by_->reactor().recv(fd_, into);
        if (n >= 0) {
            if (n == 0) ended_ = true;
            return ready<std::size_t>(static_cast<std::size_t>(n));
        }
        if (n != -EAGAIN) throw std::system_error(static_cast<int>(-n), std::generic_category(), "read");
        ctx.await_descriptor(fd_, direction::readable, deadline, "read");
    }
}

ready<> stream::write_all(verbs& ctx, std::span<const std::byte> from, time_point deadline) {
    check(ctx.stop());
    while (!from.empty()) {
        ssize_t n = by_->reactor().send(fd_, from);
        if (n >= 0)
            from = from.subspan(static_cast<std::size_t>(n));
        else if (n == -EAGAIN)
            ctx.await_descriptor(fd_, direction::writable, deadline, "write");
        else
            throw std::system_error(static_cast<int>(-n), std::generic_category(), "write");
    }
    return {};
}

ready<> verbs::sleep_for(std::chrono::nanoseconds time) {
    check(stop_);
    const time_point now = std::chrono::steady_clock::now();
    const time_point until = time < never - now ? now + time : never;
    waiting self(by_, stop_);
    self.suspend(until);
    check(stop_);
    return {};
}

ready<stream> verbs::connect(endpoint to, time_point deadline) {
    check(stop_);
    const int descriptor = sockets::open_tcp(SOCK_NONBLOCK);
    bool connected = false;
    try {
        connected = sockets::start_connect(descriptor, to);
    } catch (...) {
        ::close(descriptor);
        throw;
    }
    // Watched only from here on: the watcher would take an unconnected socket for one that is ready.
    stream made(by_, descriptor);
    if (!connected) {
        await_descriptor(made.descriptor(), direction::writable, deadline, "connect");
        sockets::finish_connect(made.descriptor());
    }
    return ready<stream>(std::move(made));
}

ready<> verbs::yield() {
    check(stop_);
    tbb::task::suspend([](tbb::task::suspend_point here) { tbb::task::resume(here); });
    check(stop_);
    return {};
}

ready<std::size_t> verbs::read_file(const char* path, std::span<std::byte> into) {
    check(stop_);
    return ready<std::size_t>(files::read(path, into));
}

ready<> verbs::offload(void (*function)(void*), void* argument) {
    handover::offload<turn>(*this, beside_, function, argument);
    return {};
}

}  // namespace crossover::resumable
