// The reactor on io_uring: sending.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "runtimes/reactor/io_uring_reactor.hpp"
#include "runtimes/reactor/outgoing.hpp"

namespace crossover {
namespace {

// So many leave together. With more the first would wait for the last, and their memory would be cold.
constexpr unsigned most_sends_of_round = 64;

}  // namespace

bool io_uring_reactor::is_tcp(slot& s, int fd) noexcept {
    if (s.over == transport::unknown) {
        int protocol = 0;
        socklen_t size = sizeof protocol;
        const bool known = ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0;
        s.over = known && protocol == IPPROTO_TCP ? transport::tcp : transport::other;
    }
    return s.over == transport::tcp;
}

ssize_t io_uring_reactor::send(int fd, std::span<const std::byte> from) noexcept {
    slot* const s = find(fd);
    if (!s) return send_now(fd, from);
    if (s->send_error) return -std::exchange(s->send_error, 0);
    if (from.size() > outgoing::most_bytes || from.empty() || !is_tcp(*s, fd)) return send_now(fd, from);
    if (!s->out) return queue_send(*s, fd, from);
    outgoing& o = *s->out;
    if (o.round != ring_.round() || from.size() > o.room()) return send_now(fd, from);
    std::memcpy(o.data.data() + o.end, from.data(), from.size());
    o.end += static_cast<std::uint32_t>(from.size());
    o.entry->len = o.end - o.begin;
    return static_cast<ssize_t>(from.size());
}

int io_uring_reactor::flush(int fd) noexcept {
    slot* const s = find(fd);
    if (!s) return 0;
    return s->out ? -EAGAIN : -std::exchange(s->send_error, 0);
}

ssize_t io_uring_reactor::send_now(int fd, std::span<const std::byte> from) noexcept {
    if (slot* const s = find(fd)) {
        if (s->out) {
            // What is queued goes first; as a rule it is gone after this.
            ring_.submit();
            reap();
        }
        if (const int pending = flush(fd)) return pending;
    }
    ssize_t n;
    do n = ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t io_uring_reactor::queue_send(slot& s, int fd, std::span<const std::byte> from) {
    if (spare_sends_.empty()) {
        sends_.push_back(std::make_unique<outgoing>());
        spare_sends_.reserve(sends_.capacity());
        spare_sends_.push_back(sends_.back().get());
    }
    outgoing& o = *spare_sends_.back();
    spare_sends_.pop_back();
    o.fd = fd;
    o.begin = 0;
    o.recalled = false;
    o.end = static_cast<std::uint32_t>(from.size());
    std::memcpy(o.data.data(), from.data(), from.size());
    prepare(o);
    s.out = &o;
    if (o.round != sending_round_) sends_of_round_ = 0;
    sending_round_ = o.round;
    if (++sends_of_round_ >= most_sends_of_round) {
        ring_.submit();
        reap();
    }
    return static_cast<ssize_t>(from.size());
}

void io_uring_reactor::prepare(outgoing& o) noexcept {
    io_uring_sqe& e = ring_.next_entry();
    ::io_uring_prep_send(&e, o.fd, o.data.data() + o.begin, o.end - o.begin, MSG_NOSIGNAL | MSG_WAITALL);
    e.user_data = key_of(kind::send, &o);
    o.entry = &e;
    o.round = ring_.round();
}

void io_uring_reactor::on_sent(outgoing& o, int result) noexcept {
    slot* s = find(o.fd);
    if (s && s->out != &o) s = nullptr;  // closed or detached meanwhile
    if (s && !o.recalled && result > 0 && o.begin + static_cast<std::uint32_t>(result) < o.end) {
        o.begin += static_cast<std::uint32_t>(result);
        return prepare(o);
    }
    spare_sends_.push_back(&o);
    if (!s) return;
    s->out = nullptr;
    if (result < 0 && !(o.recalled && result == -ECANCELED)) s->send_error = -result;
    if (s->shuts_down) ::shutdown(o.fd, SHUT_WR);
    hand_out(*s, direction::writable);
}

// Nobody waits for it any more: it goes out now, and what the kernel does not take at once never does.
void io_uring_reactor::take_back_send(slot& s) noexcept {
    ring_.submit();
    reap();
    if (!s.out) return;
    s.out->recalled = true;
    recall(key_of(kind::send, s.out));
    ring_.submit();
    reap();
}

int io_uring_reactor::shut_down_sending(int fd) noexcept {
    if (slot* const s = find(fd); s && s->out) {
        ring_.submit();
        reap();
        if (s->out) {
            s->shuts_down = true;
            return 0;
        }
    }
    return ::shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}

}  // namespace crossover
