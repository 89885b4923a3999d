// Blocking sockets, files and sleeps behind the verbs.
#include "runtimes/blocking/verbs.hpp"

#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtimes/system/files.hpp"
#include "runtimes/system/sockets.hpp"

namespace crossover::blocking {

namespace {

// Blocks until `descriptor` is ready; throws when `deadline` comes first.
void await_ready(verbs& ctx, int descriptor, short events, time_point deadline, const char* what) {
    if (!ctx.own().wait_ready(ctx.stop(), descriptor, events, deadline))
        throw timed_out(std::string(what) + " passed its deadline");
}

// Nothing but a signal can end the wait early, so the system call itself may block: one call instead of
// three.
bool may_block(const verbs& ctx, time_point deadline) {
    return deadline == never && (!ctx.stop() || ctx.stop()->interrupts());
}

void check_interrupted(verbs& ctx, const char* what) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), what);
    check(ctx.stop());
}

}  // namespace

ready<std::size_t> stream::read_some(verbs& ctx, std::span<std::byte> into, time_point deadline) {
    check(ctx.stop());
    int flags = may_block(ctx, deadline) ? 0 : MSG_DONTWAIT;
    for (;;) {
        ssize_t n = ::recv(fd_, into.data(), into.size(), flags);
        if (n >= 0) {
            if (n == 0 && !into.empty()) ended_ = true;
            return ready<std::size_t>(static_cast<std::size_t>(n));
        }
        if (errno == EAGAIN)
            await_ready(ctx, fd_, POLLIN, deadline, "read");
        else
            check_interrupted(ctx, "read");
    }
}

ready<> stream::write_all(verbs& ctx, std::span<const std::byte> from, time_point deadline) {
    check(ctx.stop());
    int flags = MSG_NOSIGNAL | (may_block(ctx, deadline) ? 0 : MSG_DONTWAIT);
    while (!from.empty()) {
        ssize_t n = ::send(fd_, from.data(), from.size(), flags);
        if (n >= 0)
            from = from.subspan(static_cast<std::size_t>(n));
        else if (errno == EAGAIN)
            await_ready(ctx, fd_, POLLOUT, deadline, "write");
        else
            check_interrupted(ctx, "write");
    }
    return {};
}

void stream::close() {
    if (fd_ < 0) return;
    if (!ended_) sockets::abort_on_close(fd_);
    ::close(fd_);
    fd_ = -1;
}

ready<> verbs::sleep_for(std::chrono::nanoseconds time) {
    const time_point until = from_now(time);
    while (own_.wait(stop_, nullptr, 0, until)) {
    }
    return {};
}

ready<stream> verbs::connect(endpoint to, time_point deadline) {
    check(stop_);
    stream made(sockets::open_tcp(may_block(*this, deadline) ? 0 : SOCK_NONBLOCK));
    int fd = made.descriptor();
    if (!sockets::start_connect(fd, to)) {
        await_ready(*this, fd, POLLOUT, deadline, "connect");
        sockets::finish_connect(fd);
    }
    return ready<stream>(std::move(made));
}

ready<std::size_t> verbs::read_file(const char* path, std::span<std::byte> into) {
    check(stop_);
    return ready<std::size_t>(files::read(path, into));
}

ready<> verbs::yield() {
    check(stop_);
    ::sched_yield();
    return {};
}

}  // namespace crossover::blocking
