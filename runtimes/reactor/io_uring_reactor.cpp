// The reactor on io_uring: waiting, receiving, accepting, and reading files.
#include "runtimes/reactor/io_uring_reactor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "runtimes/reactor/outgoing.hpp"
#include "runtimes/system/accept_client.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {
namespace {

constexpr std::size_t most_at_once = 0x7ffff000;  // Linux reads no more in one call

constexpr std::uint32_t generation_mask = (1U << 28) - 1;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

std::uint64_t io_uring_reactor::key_of(kind k, int fd, std::uint32_t generation) noexcept {
    return (static_cast<std::uint64_t>(k) << 60) | (std::uint64_t{generation & generation_mask} << 32) |
           static_cast<std::uint32_t>(fd);
}

std::uint64_t io_uring_reactor::key_of(kind k, void* who) noexcept {
    return (static_cast<std::uint64_t>(k) << 60) | reinterpret_cast<std::uintptr_t>(who);
}

void io_uring_reactor::set_armed(slot& s, kind k, bool to) noexcept {
    const unsigned bit = 1U << static_cast<unsigned>(k);
    s.armed = static_cast<std::uint8_t>(to ? s.armed | bit : s.armed & ~bit);
}

io_uring_reactor::io_uring_reactor() {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_ < 0) fail(errno, with_descriptor_limit("eventfd", errno));
}

io_uring_reactor::~io_uring_reactor() {
    // The kernel takes a ring down in the background; until then it would hold what it still waits for.
    for (std::size_t fd = 0; fd < slots_.size(); ++fd) forget(static_cast<int>(fd));
    ::close(wake_);
}

io_uring_reactor::slot* io_uring_reactor::find(int fd) noexcept {
    if (static_cast<std::size_t>(fd) >= slots_.size() || !of_this_process()) return nullptr;
    slot& s = slots_[static_cast<std::size_t>(fd)];
    return s.generation & 1U ? &s : nullptr;
}

void io_uring_reactor::attach(int fd) {
    expect_this_process();
    struct stat about {};
    if (::fstat(fd, &about) < 0) fail(errno, "watching descriptor " + std::to_string(fd));
    if (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode))
        fail(EPERM, "watching descriptor " + std::to_string(fd));
    if (const slot* const s = find(fd); s && s->device == about.st_dev && s->inode == about.st_ino)
        fail(EEXIST, "watching descriptor " + std::to_string(fd) + ", which is watched already");
    forget(fd);  // the number may have been closed and used again behind our back
    const auto at = static_cast<std::size_t>(fd);
    if (at >= slots_.size()) slots_.resize(at * 5 / 4 + 64);
    ++slots_[at].generation;
    slots_[at].device = about.st_dev;
    slots_[at].inode = about.st_ino;
    ++attached_;
}

void io_uring_reactor::detach(int fd) noexcept { forget(fd); }

void io_uring_reactor::close(int fd) noexcept {
    forget(fd);
    ::close(fd);
}

void io_uring_reactor::forget(int fd) noexcept {
    slot* const s = find(fd);
    if (!s) return;
    assert(!s->waiter[0] && !s->waiter[1] && "somebody still waits");
    // At once: entries name the descriptor by its number, and an operation under way keeps the file open.
    if (s->armed != 0 || s->out) {
        for (const kind k : {kind::poll_in, kind::poll_out})
            if (is_armed(*s, k)) recall(key_of(k, fd, s->generation));
        ring_.submit();
    }
    const std::uint32_t generation = s->generation + 1;
    *s = slot();
    s->generation = generation;
    --attached_;
}

void io_uring_reactor::recall(std::uint64_t key) noexcept {
    io_uring_sqe& e = ring_.next_entry();
    ::io_uring_prep_cancel64(&e, key, 0);
    e.flags |= IOSQE_CQE_SKIP_SUCCESS;
    e.user_data = key_of(kind::ignored, nullptr);
}

void io_uring_reactor::arm(slot& s, int fd, kind k) noexcept {
    if (is_armed(s, k)) return;
    set_armed(s, k, true);
    io_uring_sqe& e = ring_.next_entry();
    if (k == kind::poll_in)
        ::io_uring_prep_poll_multishot(&e, fd, POLLIN | POLLPRI | POLLRDHUP);
    else
        ::io_uring_prep_poll_add(&e, fd, POLLOUT);
    e.user_data = key_of(k, fd, s.generation);
}

bool io_uring_reactor::wait(int fd, direction d, node& n) {
    expect_this_process();
    slot* const s = find(fd);
    if (!s) fail(EBADF, "waiting for descriptor " + std::to_string(fd) + ", which is not attached");
    const auto side = static_cast<std::size_t>(d);
    if (s->waiter[side]) fail(EBUSY, "a second waiter for descriptor " + std::to_string(fd));
    if (std::exchange(s->ready[side], false)) return true;
    if (d == direction::readable)
        arm(*s, fd, kind::poll_in);
    else if (!s->out)
        arm(*s, fd, kind::poll_out);
    s->waiter[side] = &n;
    return false;
}

bool io_uring_reactor::cancel(int fd, direction d, node& n) noexcept {
    slot* const s = find(fd);
    if (!s || s->waiter[static_cast<std::size_t>(d)] != &n) return false;
    s->waiter[static_cast<std::size_t>(d)] = nullptr;
    if (d == direction::writable && s->out) take_back_send(*s);
    return true;
}

void io_uring_reactor::poll(std::chrono::nanoseconds timeout, node_list& ready) {
    expect_this_process();
    if (!ready_.empty()) timeout = std::chrono::nanoseconds(0);
    if (timeout.count() != 0) {
        if (!std::exchange(wake_armed_, true)) {
            io_uring_sqe& e = ring_.next_entry();
            ::io_uring_prep_poll_multishot(&e, wake_, POLLIN);
            e.user_data = key_of(kind::wake, nullptr);
        }
        sleeper expected = sleeper::awake;
        if (!sleeper_.compare_exchange_strong(expected, sleeper::asleep))
            timeout = std::chrono::nanoseconds(0);
    }
    const int failed = ring_.wait(timeout);
    // From here on the caller looks at its own queues, so what was notified before now is seen.
    sleeper_.exchange(sleeper::awake);
    if (failed)
        fail(failed, failed == EEXIST ? "an io_uring loop belongs to the thread that first used it"
                                      : "io_uring_enter");
    reap();
    ready.append(std::move(ready_));
}

void io_uring_reactor::notify() noexcept {
    if (sleeper_.exchange(sleeper::notified) != sleeper::asleep || !of_this_process()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
}

void io_uring_reactor::reap() noexcept {
    if (ring_.failed()) return;  // it may tell of reads that were abandoned
    ring_.take_all([this](const io_uring_cqe& e) { complete(e); });
}

void io_uring_reactor::hand_out(slot& s, direction d) noexcept {
    if (node* const n = std::exchange(s.waiter[static_cast<std::size_t>(d)], nullptr)) ready_.push_back(*n);
}

void io_uring_reactor::announce(slot& s, direction d) noexcept {
    if (!s.waiter[static_cast<std::size_t>(d)]) s.ready[static_cast<std::size_t>(d)] = true;
    hand_out(s, d);
}

void io_uring_reactor::complete(const io_uring_cqe& e) noexcept {
    const auto k = static_cast<kind>(e.user_data >> 60);
    void* const who = reinterpret_cast<void*>(e.user_data & ((std::uint64_t{1} << 60) - 1));
    switch (k) {
        case kind::wake:
            wake_armed_ = e.flags & IORING_CQE_F_MORE;
            return;
        case kind::ignored:
            return;
        case kind::send:
            return on_sent(*static_cast<outgoing*>(who), e.res);
        case kind::file:
            return on_read(*static_cast<file_read*>(who), e.res);
        default:
            break;
    }
    const int fd = static_cast<int>(e.user_data & 0xffffffffU);
    slot* const s = find(fd);
    if (!s || (s->generation & generation_mask) != (e.user_data >> 32 & generation_mask))
        return;  // for a descriptor that was closed or detached meanwhile
    if (!(e.flags & IORING_CQE_F_MORE)) set_armed(*s, k, false);
    if (k == kind::poll_out) return announce(*s, direction::writable);
    s->emptied = false;
    if (e.res < 0 || e.res & (POLLRDHUP | POLLHUP | POLLERR)) s->ended = true;
    announce(*s, direction::readable);
}

ssize_t io_uring_reactor::recv(int fd, std::span<std::byte> to) noexcept {
    slot* const s = find(fd);
    // What comes after the socket was found empty is an event of its own.
    if (s && s->emptied) return -EAGAIN;
    ssize_t n;
    do n = ::recv(fd, to.data(), to.size(), MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    if (s && n > 0 && static_cast<std::size_t>(n) < to.size()) s->emptied = !s->ended && is_tcp(*s, fd);
    return n;
}

int io_uring_reactor::accept(int fd) noexcept {
    int n;
    do n = accept_client(fd);
    while (n < 0 && (errno == EINTR || errno == ECONNABORTED));
    return n < 0 ? -errno : n;
}

void io_uring_reactor::read_file(int fd, std::span<std::byte> to, std::uint64_t offset, file_read& r) {
    expect_this_process();
    io_uring_sqe& e = ring_.next_entry();
    ::io_uring_prep_read(&e, fd, to.data(), static_cast<unsigned>(std::min(to.size(), most_at_once)), offset);
    e.user_data = key_of(kind::file, &r);
    ++attached_;
}

void io_uring_reactor::on_read(file_read& r, int result) noexcept {
    --attached_;
    r.result = result;
    r.done = true;
    if (!r.abandoned) ready_.push_back(r);
}

void io_uring_reactor::abandon(file_read& r) noexcept {
    if (!of_this_process()) return;  // the parent's, who goes on reading it
    r.abandoned = true;
    while (!r.done && ring_.wait(std::chrono::nanoseconds(-1)) == 0) reap();
    if (!r.done) ring_.cancel_and_wait(key_of(kind::file, &r));
}

}  // namespace crossover
