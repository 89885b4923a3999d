// The reactor on epoll.
#include "runtimes/reactor/epoll_reactor.hpp"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <system_error>

#include "runtimes/system/accept_client.hpp"
#include "runtimes/system/epoll_wait_for.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {
namespace {

constexpr std::uintptr_t idle = 0;
constexpr std::uintptr_t ready_mark = 1;
constexpr std::uint64_t wake_key = ~std::uint64_t{0};
constexpr int events_per_poll = 256;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

std::uint64_t key_of(int fd, std::uint32_t generation) noexcept {
    return (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(fd);
}

}  // namespace

epoll_reactor::epoll_reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) fail(errno, with_descriptor_limit("epoll_create1", errno));
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = wake_key;
    if (wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) < 0) {
        const int error = errno;
        if (wake_ >= 0) ::close(wake_);
        ::close(epoll_);
        fail(error, with_descriptor_limit("eventfd", error));
    }
}

epoll_reactor::~epoll_reactor() {
    ::close(wake_);
    ::close(epoll_);
    for (auto& entry : table_) delete entry.load(std::memory_order_relaxed);
}

epoll_reactor::slot* epoll_reactor::find(int fd) const noexcept {
    const auto at = static_cast<std::size_t>(fd);
    if (fd < 0 || at >= chunks * chunk_slots) return nullptr;
    chunk* const c = table_[at / chunk_slots].load(std::memory_order_acquire);
    return c ? &(*c)[at % chunk_slots] : nullptr;
}

epoll_reactor::slot& epoll_reactor::make(int fd) {
    const auto at = static_cast<std::size_t>(fd);
    if (fd < 0 || at >= chunks * chunk_slots) fail(EBADF, "watching descriptor " + std::to_string(fd));
    auto& entry = table_[at / chunk_slots];
    if (!entry.load(std::memory_order_acquire)) {
        auto fresh = std::make_unique<chunk>();
        chunk* expected = nullptr;
        if (entry.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel)) fresh.release();
    }
    return *find(fd);
}

void epoll_reactor::attach(int fd) {
    expect_this_process();
    slot& s = make(fd);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    const std::uint32_t generation = s.generation.load(std::memory_order_relaxed) | 1U;
    event.data.u64 = key_of(fd, generation);
    if (s.generation.load(std::memory_order_relaxed) == generation) {
        // Unless the number was closed and used again behind our back.
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0)
            ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
        else if (errno == EEXIST)
            fail(EEXIST, "watching descriptor " + std::to_string(fd) + ", which is watched already");
    }
    s.word[0].store(idle, std::memory_order_relaxed);
    s.word[1].store(idle, std::memory_order_relaxed);
    s.emptied_at.store(0, std::memory_order_relaxed);
    s.ended.store(false, std::memory_order_relaxed);
    s.is_tcp.store(unknown, std::memory_order_relaxed);
    const bool fresh = s.generation.exchange(generation, std::memory_order_release) != generation;
    int failed = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    if (failed && errno == EEXIST) failed = ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
    if (failed) {
        const int error = errno;
        s.generation.store(generation + 1, std::memory_order_release);
        if (!fresh) attached_.fetch_sub(1, std::memory_order_relaxed);
        fail(error, "watching descriptor " + std::to_string(fd));
    }
    if (fresh) attached_.fetch_add(1, std::memory_order_relaxed);
}

void epoll_reactor::forget(int fd) noexcept {
    slot* const s = find(fd);
    if (!s) return;
    const std::uint32_t generation = s->generation.load(std::memory_order_relaxed);
    if (!(generation & 1U)) return;
    assert(s->word[0].load() <= ready_mark && s->word[1].load() <= ready_mark && "somebody still waits");
    s->generation.store(generation + 1, std::memory_order_release);
    attached_.fetch_sub(1, std::memory_order_relaxed);
}

void epoll_reactor::detach(int fd) noexcept {
    forget(fd);
    if (of_this_process()) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void epoll_reactor::close(int fd) noexcept {
    // No EPOLL_CTL_DEL: the kernel drops a closed descriptor itself, and if a copy in a child keeps it alive,
    // the generation tells its events from those of the number's next owner.
    forget(fd);
    ::close(fd);
}

bool epoll_reactor::wait(int fd, direction d, node& n) {
    expect_this_process();
    slot* const s = find(fd);
    if (!s || !(s->generation.load(std::memory_order_acquire) & 1U))
        fail(EBADF, "waiting for descriptor " + std::to_string(fd) + ", which is not attached");
    auto& word = s->word[static_cast<std::size_t>(d)];
    std::uintptr_t old = idle;
    if (word.compare_exchange_strong(old, reinterpret_cast<std::uintptr_t>(&n), std::memory_order_acq_rel))
        return false;
    if (old != ready_mark) fail(EBUSY, "a second waiter for descriptor " + std::to_string(fd));
    // An edge that arrives right now is seen by the operation that the caller is about to repeat: see
    // announce().
    word.exchange(idle, std::memory_order_acq_rel);
    return true;
}

bool epoll_reactor::cancel(int fd, direction d, node& n) noexcept {
    slot* const s = find(fd);
    if (!s) return false;
    auto expected = reinterpret_cast<std::uintptr_t>(&n);
    return s->word[static_cast<std::size_t>(d)].compare_exchange_strong(expected, idle,
                                                                        std::memory_order_acq_rel);
}

void epoll_reactor::announce(std::atomic<std::uintptr_t>& word, node_list& ready) noexcept {
    std::uintptr_t old = word.load(std::memory_order_acquire);
    // Also where the mark is set already: a waiter that takes it then has taken this edge's, and sees that
    // there was one. If it was only read here, each could miss the other's change.
    while (!word.compare_exchange_weak(old, old <= ready_mark ? ready_mark : idle, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
    }
    if (old > ready_mark) ready.push_back(*reinterpret_cast<node*>(old));
}

void epoll_reactor::poll(std::chrono::nanoseconds timeout, node_list& ready) {
    expect_this_process();
    if (timeout.count() != 0) {
        sleeper expected = sleeper::awake;
        if (!sleeper_.compare_exchange_strong(expected, sleeper::asleep))
            timeout = std::chrono::nanoseconds(0);
    }
    epoll_event events[events_per_poll];
    const int n = epoll_wait_for(epoll_, events, events_per_poll, timeout);
    const int error = errno;
    // From here on the caller looks at its own queues, so what was notified before now is seen.
    sleeper_.exchange(sleeper::awake);
    if (n < 0 && error != EINTR) fail(error, "epoll_wait");
    for (int i = 0; i < n; ++i) {
        if (events[i].data.u64 == wake_key) continue;
        slot* const s = find(static_cast<int>(events[i].data.u64 & 0xffffffffU));
        if (!s || s->generation.load(std::memory_order_acquire) != events[i].data.u64 >> 32) continue;
        const std::uint32_t what = events[i].events;
        if (what & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
            note_edge(*s, what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
            announce(s->word[0], ready);
        } else {  // nothing to read: a connection that has just been made
            s->emptied_at.store(s->edges.load(std::memory_order_relaxed), std::memory_order_relaxed);
        }
        if (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) announce(s->word[1], ready);
    }
}

void epoll_reactor::notify() noexcept {
    if (sleeper_.exchange(sleeper::notified) != sleeper::asleep || !of_this_process()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
}

void epoll_reactor::note_edge(slot& s, bool ended) noexcept {
    if (ended) s.ended.store(true, std::memory_order_relaxed);
    std::uint32_t next = s.edges.load(std::memory_order_relaxed) + 1;
    s.edges.store(next != 0 ? next : 1, std::memory_order_release);
}

bool epoll_reactor::short_read_empties(slot& s, int fd) noexcept {
    char is_tcp = s.is_tcp.load(std::memory_order_relaxed);
    if (is_tcp == unknown) {  // else a datagram, or a message with descriptors, may have ended the read
        int protocol = 0;
        socklen_t size = sizeof protocol;
        is_tcp = ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_TCP;
        s.is_tcp.store(is_tcp, std::memory_order_relaxed);
    }
    return is_tcp && !s.ended.load(std::memory_order_relaxed);
}

ssize_t epoll_reactor::recv(int fd, std::span<std::byte> to) noexcept {
    slot* s = find(fd);
    if (s && !(s->generation.load(std::memory_order_acquire) & 1U)) s = nullptr;
    // Read before the socket: whatever arrives after it was found empty is an edge that is not counted here.
    const std::uint32_t edges = s ? s->edges.load(std::memory_order_acquire) : 0;
    if (s && s->emptied_at.load(std::memory_order_relaxed) == edges) return -EAGAIN;
    ssize_t n;
    do n = ::recv(fd, to.data(), to.size(), MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    if (s && n > 0 && static_cast<std::size_t>(n) < to.size() && short_read_empties(*s, fd))
        s->emptied_at.store(edges, std::memory_order_relaxed);
    return n;
}

ssize_t epoll_reactor::send(int fd, std::span<const std::byte> from) noexcept {
    ssize_t n;
    do n = ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int epoll_reactor::accept(int fd) noexcept {
    int n;
    do n = accept_client(fd);
    while (n < 0 && (errno == EINTR || errno == ECONNABORTED));
    return n < 0 ? -errno : n;
}

int epoll_reactor::shut_down_sending(int fd) noexcept { return ::shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

}  // namespace crossover
