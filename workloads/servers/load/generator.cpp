// Edge-triggered epoll: a connection is told once that it can be read or written, and is then used until it
// blocks.
#include "workloads/servers/load/generator.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include "runtimes/system/accept_client.hpp"
#include "runtimes/system/epoll_wait_for.hpp"

namespace crossover {

namespace {

constexpr std::size_t longest_line = 128;

std::uint64_t now_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

std::uint64_t cpu_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::string list_of(const latency_buckets& buckets) {
    std::string text = "[";
    for (const auto& [upper, count] : buckets.filled())
        text += (text.size() > 1 ? ",[" : "[") + std::to_string(upper) + ',' + std::to_string(count) + ']';
    return text + ']';
}

}  // namespace

// What one client has asked for; lives as long as its control connection.
struct generator::session {
    std::uint64_t id;
    load_plan plan;
    std::vector<connection*> served;  // the connections that are served, by their number
    std::uint64_t taken = 0;
    std::optional<load_round> round;
    latencies seen;
    std::uint64_t rounds = 0, replies = 0, busy_ns = 0;
    std::string fault;

    std::uint64_t ends_ns() const {
        return round->start_ns() + (load_plan::longest_round_s + 10) * 1'000'000'000;
    }
    std::string report() const {
        return "{\"rounds\":" + std::to_string(rounds) + ",\"replies\":" + std::to_string(replies) +
               ",\"busy_ns\":" + std::to_string(busy_ns) + ",\"fault\":\"" + fault +
               "\",\"intended\":" + list_of(seen.intended) + ",\"service\":" + list_of(seen.service) + '}';
    }
};

struct generator::connection {
    enum class role { unknown, control, served, leaving } is = role::unknown;
    int fd;
    session* of = nullptr;
    std::uint64_t number = 0;  // of a served one
    std::string line;          // of a control connection, as far as it has come
    std::size_t sent = 0;      // bytes of the request under way
    std::size_t received = 0;  // bytes of its reply
    bool sending = false;
    bool expecting = false;
};

generator::generator(std::uint16_t port)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      pattern_(load_plan::most_bytes),
      room_(65'536) {
    if (listener_ < 0 || epoll_ < 0) fail("socket");
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 65'535) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        fail("cannot listen on 127.0.0.1");
    port_ = ntohs(address.sin_port);
    for (std::size_t i = 0; i < pattern_.size(); ++i) pattern_[i] = static_cast<char>('a' + i % 23);
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = listener_;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &interest) != 0) fail("epoll_ctl");
}

generator::~generator() {
    for (auto& c : connections_)
        if (c) ::close(c->fd);
    ::close(epoll_);
    ::close(listener_);
}

void generator::run(int watched) {
    if (watched >= 0) {
        epoll_event interest{};
        interest.events = EPOLLIN;
        interest.data.fd = watched;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, watched, &interest) != 0) fail("epoll_ctl");
    }
    std::array<epoll_event, 256> events;
    for (;;) {
        const std::uint64_t wake = next_wake_ns(), now = now_ns();
        std::chrono::nanoseconds wait{-1};
        if (wake != load_round::never_due) wait = std::chrono::nanoseconds(wake > now ? wake - now : 0);
        const int n = epoll_wait_for(epoll_, events.data(), static_cast<int>(events.size()), wait);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == watched) return;
            if (fd == listener_) {
                accept_all();
            } else if (connection* c = connections_[static_cast<std::size_t>(fd)].get()) {
                if (c->sending && (events[static_cast<std::size_t>(i)].events & EPOLLOUT)) send_rest(*c);
                readable(*c);
            }
        }
        closed_.clear();
        for (auto& [id, s] : sessions_) {
            if (!s->round) continue;
            offer(*s);
            if (s->round && now_ns() > s->ends_ns()) abandon(*s, "the round took longer than its bound");
        }
    }
}

std::uint64_t generator::next_wake_ns() const {
    std::uint64_t first = load_round::never_due;
    for (const auto& [id, s] : sessions_)
        if (s->round) first = std::min({first, s->round->next_due_ns(), s->ends_ns()});
    return first;
}

void generator::accept_all() {
    for (;;) {
        const int fd = accept_client(listener_);
        if (fd < 0) return;  // none is left; without descriptors the clients' patience ends
        const auto at = static_cast<std::size_t>(fd);
        if (connections_.size() <= at) connections_.resize(at + 1);
        connections_[at] = std::make_unique<connection>();
        connections_[at]->fd = fd;
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        interest.data.fd = fd;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest) != 0) fail("epoll_ctl");
    }
}

void generator::readable(connection& c) {
    while (c.fd >= 0) {
        const ssize_t got = ::recv(c.fd, room_.data(), room_.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            if (c.is == connection::role::served && c.of && c.of->round)
                abandon(*c.of, "the model closed connection " + std::to_string(c.number) + " after " +
                                   std::to_string(c.of->round->replies()) + " replies in all");
            close(c);
            return;
        }
        const auto count = static_cast<std::size_t>(got);
        if (c.is == connection::role::served) {
            take_reply(c, room_.data(), count);
        } else {
            c.line.append(room_.data(), count);
            for (std::size_t end; c.fd >= 0 && (end = c.line.find('\n')) != std::string::npos;) {
                const std::string line = c.line.substr(0, end);
                c.line.erase(0, end + 1);
                take_line(c, line);
            }
            if (c.line.size() > longest_line) close(c);
        }
        if (count < room_.size()) return;
    }
}

void generator::take_line(connection& c, const std::string& line) {
    unsigned long long id = 0, number = 0;
    if (const auto plan = read_session_line(line); plan && !c.of) {
        if (const char* fault = plan->fault()) return answer(c, std::string("refused: ") + fault);
        auto& s = sessions_[++last_id_] = std::make_unique<session>();
        s->id = last_id_;
        s->plan = *plan;
        s->served.resize(plan->connections);
        c.is = connection::role::control;
        c.of = s.get();
        return answer(c, "ok " + std::to_string(s->id));
    }
    if (std::sscanf(line.c_str(), "serve %llu %llu", &id, &number) == 2) {
        const auto found = sessions_.find(id);
        if (found == sessions_.end() || found->second->round || number >= found->second->plan.connections ||
            found->second->served[number])
            return close(c);
        session& s = *found->second;
        c.is = connection::role::served;
        c.of = &s;
        c.number = number;
        s.served[number] = &c;
        if (++s.taken == s.plan.connections) begin(s);
        return;
    }
    if (line == "cpu") return answer(c, "cpu " + std::to_string(cpu_ns()));
    if (line == "report" && c.of) return answer(c, c.of->report());
    if (line == "forget" && c.of) {
        c.of->seen = latencies();
        c.of->rounds = c.of->replies = c.of->busy_ns = 0;
        c.of->fault.clear();
        return answer(c, "ok");
    }
    answer(c, "refused: there are session, serve, report, forget and cpu");
}

// Answers are short, and the client waits for each: the kernel takes them at once.
void generator::answer(connection& c, const std::string& line) {
    const std::string text = line + '\n';
    if (::send(c.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) close(c);
}

void generator::begin(session& s) {
    s.round.emplace(s.plan, now_ns(), s.seen);
    offer(s);
}

void generator::offer(session& s) {
    if (s.round->next_due_ns() == load_round::never_due) return;
    load_round& round = *s.round;
    // A connection that breaks while it is sent to ends the round, and says so when it is read.
    round.offer(now_ns(), [&](std::uint64_t lane) { send_request(*s.served[lane]); });
}

void generator::send_request(connection& c) {
    c.of->round->sent(c.number, now_ns());
    c.sent = c.received = 0;
    c.sending = c.expecting = true;
    send_rest(c);
}

void generator::send_rest(connection& c) {
    const std::uint64_t number = c.of->round->number(c.number);
    const std::size_t all = c.of->plan.bytes;
    while (c.sent < all) {
        std::array<iovec, 2> parts;
        int used = 0;
        char head[sizeof number];
        std::memcpy(head, &number, sizeof number);
        if (c.sent < sizeof number)
            parts[static_cast<std::size_t>(used++)] = {head + c.sent, sizeof number - c.sent};
        const std::size_t from = std::max(c.sent, sizeof number);
        if (from < all) parts[static_cast<std::size_t>(used++)] = {pattern_.data() + from, all - from};
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = static_cast<std::size_t>(used);
        const ssize_t taken = ::sendmsg(c.fd, &message, MSG_NOSIGNAL);
        if (taken < 0) return;  // full, or broken, which reading tells
        c.sent += static_cast<std::size_t>(taken);
    }
    c.sending = false;
}

void generator::take_reply(connection& c, const char* bytes, std::size_t count) {
    session& s = *c.of;
    if (!c.expecting || count > s.plan.bytes - c.received)
        return abandon(s, "connection " + std::to_string(c.number) + " answered more than it was asked");
    const std::uint64_t number = s.round->number(c.number);
    char head[sizeof number];
    std::memcpy(head, &number, sizeof number);
    const std::size_t in_head = c.received < sizeof head ? std::min(count, sizeof head - c.received) : 0;
    if (std::memcmp(bytes, head + std::min(c.received, sizeof head), in_head) != 0 ||
        std::memcmp(bytes + in_head, pattern_.data() + c.received + in_head, count - in_head) != 0)
        return abandon(s,
                       "connection " + std::to_string(c.number) + " answered other bytes than it was sent");
    c.received += count;
    if (c.received < s.plan.bytes) return;
    c.expecting = false;
    if (s.round->replied(c.number, now_ns()))
        send_request(c);
    else if (s.round->done())
        finish(s);
}

// A byte that is no request tells every model's task that it may leave: it closes first, so that no port
// waits.
void generator::finish(session& s) {
    s.busy_ns += now_ns() - s.round->start_ns();
    s.replies += s.round->replies();
    ++s.rounds;
    s.round.reset();
    s.taken = 0;
    for (connection*& one : s.served) {
        one->is = connection::role::leaving;
        one->of = nullptr;
        [[maybe_unused]] const auto sent = ::send(one->fd, "\n", 1, MSG_NOSIGNAL);
        one = nullptr;
    }
}

void generator::abandon(session& s, const std::string& why) {
    s.fault = why;
    s.round.reset();
    s.taken = 0;
    for (connection*& one : s.served)
        if (connection* c = std::exchange(one, nullptr)) {
            c->of = nullptr;
            close(*c);
        }
}

void generator::close(connection& c) {
    if (c.fd < 0) return;
    if (c.is == connection::role::control) {
        const auto found = sessions_.find(c.of->id);
        abandon(*found->second, "its session has ended");
        sessions_.erase(found);
    } else if (c.is == connection::role::served && c.of) {
        c.of->served[c.number] = nullptr;
        --c.of->taken;
    }
    const linger at_once{1, 0};
    ::setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(c.fd);
    closed_.push_back(std::move(connections_[static_cast<std::size_t>(c.fd)]));
    c.fd = -1;
}

}  // namespace crossover
