// Sockets through the reactor, sleeps through the timers.
#include "runtimes/fibers/verbs.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "runtimes/sockets.hpp"

namespace crossover::fiber {

stream::stream(scheduler& on, int descriptor) : on_(&on), fd_(descriptor) {
    try {
        on.reactor().attach(descriptor);
    } catch (...) {
        ::close(descriptor);
        throw;
    }
}

void stream::close() {
    if (fd_ < 0) return;
    if (!ended_) sockets::abort_on_close(fd_);
    on_->reactor().close(std::exchange(fd_, -1));
}

void verbs::await_descriptor(int descriptor, direction d, time_point deadline, const char* what) {
    waiting self(on_);
    if (on_.reactor().wait(descriptor, d, self)) return;
    bool in_time = self.suspend(stop_, deadline);
    on_.reactor().cancel(descriptor, d, self);
    check(stop_);
    if (!in_time) throw timed_out(std::string(what) + " passed its deadline");
}

ready<std::size_t> stream::read_some(verbs& ctx, std::span<std::byte> into, time_point deadline) {
    check(ctx.stop());
    for (;;) {
        ssize_t n = on_->reactor().recv(fd_, into);
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
        ssize_t n = on_->reactor().send(fd_, from);
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
    time_point until = std::chrono::steady_clock::now() + time;
    waiting self(on_);
    self.suspend(stop_, until);
    check(stop_);
    return {};
}

ready<stream> verbs::connect(endpoint to, time_point deadline) {
    check(stop_);
    stream made(on_, sockets::open_tcp(SOCK_NONBLOCK));
    if (!sockets::start_connect(made.descriptor(), to)) {
        // Attaching may have seen the unconnected socket as ready: wait until the system says that it is
        // connected or failed.
        await_descriptor(made.descriptor(), direction::writable, deadline, "connect");
        sockets::finish_connect(made.descriptor());
    }
    return ready<stream>(std::move(made));
}

ready<> verbs::yield() {
    check(stop_);
    on_.yield();
    return {};
}

}  // namespace crossover::fiber
