// Tests of sending and receiving over TCP, on each back end of the reactor.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtimes/reactor/reactor.hpp"
#include "runtimes/reactor/tests/every_reactor.hpp"
#include "runtimes/system/accept_client.hpp"
#include "tests/faults/withhold.hpp"

namespace crossover::reactor_test {
namespace {

// A connected pair of TCP sockets: the first is the reactor's, the second blocks.
struct tcp_pair {
    using accept_function = std::function<int(int listener)>;
    explicit tcp_pair(const accept_function& accept = &accept_client) {
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(0, ::bind(listener, reinterpret_cast<sockaddr*>(&address), size));
        EXPECT_EQ(0, ::listen(listener, 1));
        EXPECT_EQ(0, ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size));
        peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(0, ::connect(peer, reinterpret_cast<sockaddr*>(&address), size));
        ours = accept(listener);
        ::close(listener);
    }
    ~tcp_pair() {
        if (peer >= 0) ::close(peer);
    }
    int ours = -1;
    int peer = -1;
};

std::string read_to_end(int fd) {
    std::string all;
    char piece[65536];
    for (ssize_t n; (n = ::read(fd, piece, sizeof piece)) > 0;)
        all.append(piece, static_cast<std::size_t>(n));
    return all;
}

ssize_t send_text(reactor& r, int fd, std::string_view text) {
    return r.send(fd, std::as_bytes(std::span(text.data(), text.size())));
}

TEST_P(every_reactor, has_sent_all_before_it_closes) {
    tcp_pair tcp;
    r->attach(tcp.ours);
    EXPECT_EQ(5, send_text(*r, tcp.ours, "small"));
    EXPECT_EQ(5, send_text(*r, tcp.ours, " more"));
    EXPECT_EQ(10000, send_text(*r, tcp.ours, std::string(10000, 'x')));
    EXPECT_EQ(4, send_text(*r, tcp.ours, " end"));
    r->close(tcp.ours);
    EXPECT_EQ("small more" + std::string(10000, 'x') + " end", read_to_end(tcp.peer));
}

TEST_P(every_reactor, has_sent_all_before_it_shuts_down) {
    tcp_pair tcp;
    r->attach(tcp.ours);
    EXPECT_EQ(5, send_text(*r, tcp.ours, "small"));
    EXPECT_EQ(0, r->shut_down_sending(tcp.ours));
    EXPECT_EQ("small", read_to_end(tcp.peer));
    counter c;
    EXPECT_EQ(-EAGAIN, r->recv(tcp.ours, buffer)) << "the other direction is open";
    ASSERT_EQ(1, ::write(tcp.peer, "x", 1));
    if (!r->wait(tcp.ours, direction::readable, c))
        for (int i = 0; i < 10 && c.runs == 0; ++i) poll(1s);
    EXPECT_EQ(1, r->recv(tcp.ours, buffer));
    r->close(tcp.ours);
}

std::string pattern(std::size_t length) {
    std::string text(length, ' ');
    for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i * 7 / 64 % 26);
    return text;
}

TEST_P(every_reactor, sends_to_a_slow_peer_in_order) {
    tcp_pair tcp;
    r->attach(tcp.ours);
    const std::string text = pattern(12 << 20);
    std::string received;
    std::thread reader;
    std::size_t sent = 0;
    for (int i = 0; sent < text.size(); ++i) {
        const ssize_t n =
            send_text(*r, tcp.ours, std::string_view(text).substr(sent, i % 3 == 0 ? 5000 : 500));
        if (n > 0) {
            sent += static_cast<std::size_t>(n);
            continue;
        }
        ASSERT_EQ(-EAGAIN, n);
        if (!reader.joinable()) reader = std::thread([&] { received = read_to_end(tcp.peer); });
        counter c;
        if (r->wait(tcp.ours, direction::writable, c)) continue;
        while (c.runs == 0) poll(1s);
    }
    ASSERT_TRUE(reader.joinable()) << "the peer was not slow";
    r->close(tcp.ours);
    reader.join();
    EXPECT_EQ(text, received);
}

TEST_P(every_reactor, lets_a_reader_that_does_not_read_hold_up_nobody_else) {
    constexpr std::size_t idle_readers = 100;
    const std::string text = pattern(100'000);
    std::vector<std::array<int, 2>> pairs(idle_readers);
    for (auto& pair : pairs) {
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()));
        r->attach(pair[0]);
        counter c;
        ASSERT_EQ(-EAGAIN, r->recv(pair[0], buffer));
        if (!r->wait(pair[0], direction::readable, c)) r->cancel(pair[0], direction::readable, c);
    }
    poll();
    for (auto& pair : pairs) ASSERT_EQ(100'000, ::write(pair[1], text.data(), text.size()));
    for (int i = 0; i < 50; ++i) poll();
    for (int i = 0; i < 1000; ++i) {
        counter c;
        send_from_peer("ping");
        for (ssize_t n; (n = r->recv(ends[0], buffer)) != 4;) {
            ASSERT_EQ(-EAGAIN, n);
            if (!r->wait(ends[0], direction::readable, c))
                for (const int before = c.runs; c.runs == before;) poll(1s);
        }
    }
    for (auto& pair : pairs) {
        ::close(pair[1]);
        std::string received;
        std::vector<std::byte> piece(7000);
        for (ssize_t n; (n = r->recv(pair[0], piece)) != 0;) {
            counter c;
            if (n > 0)
                received.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(n));
            else if (!r->wait(pair[0], direction::readable, c))
                while (c.runs == 0) poll(1s);
        }
        EXPECT_EQ(text, received);
        r->close(pair[0]);
    }
}

TEST_P(every_reactor, closes_towards_the_peer_at_once_also_while_the_kernel_receives) {
    settle();
    counter c;
    ASSERT_EQ(-EAGAIN, r->recv(ends[0], buffer));
    ASSERT_FALSE(r->wait(ends[0], direction::readable, c));
    poll();
    ASSERT_TRUE(r->cancel(ends[0], direction::readable, c));
    r->close(std::exchange(ends[0], -1));
    char byte;
    EXPECT_EQ(0, ::recv(ends[1], &byte, 1, MSG_DONTWAIT));
}

TEST_P(every_reactor, leaves_the_data_to_those_who_read_by_themselves) {
    settle();
    counter c;
    for (int i = 0; i < 3; ++i) {
        while (r->wait(ends[0], direction::readable, c)) continue;
        const int before = c.runs;
        send_from_peer("x");
        while (c.runs == before) poll(1s);
        char byte;
        EXPECT_EQ(1, ::read(ends[0], &byte, 1));
    }
}

TEST_P(every_reactor, accepts_clients_also_where_the_newer_call_is_withheld) {
    for (const int error : {EPERM, ENOSYS}) {
        bool withheld = false;
        const tcp_pair tcp([&](int listener) {
            int client = -1;
            std::thread filtered([&] {  // a filter stays with its thread
                withheld = withhold(error, {SYS_accept4});
                client = r->accept(listener);
            });
            filtered.join();
            return client;
        });
        if (!withheld) GTEST_SKIP() << "no filters here";
        ASSERT_GE(tcp.ours, 0) << std::strerror(-tcp.ours);
        EXPECT_TRUE(::fcntl(tcp.ours, F_GETFL) & O_NONBLOCK);
        EXPECT_EQ(FD_CLOEXEC, ::fcntl(tcp.ours, F_GETFD));
        ::close(tcp.ours);
    }
}

TEST_P(every_reactor, serves_many_connections_that_come_and_go) {
    for (int i = 0; i < 300; ++i) {
        tcp_pair tcp;
        r->attach(tcp.ours);
        counter c;
        const ssize_t early = r->recv(tcp.ours, buffer);
        ASSERT_EQ(-EAGAIN, early);
        ASSERT_FALSE(r->wait(tcp.ours, direction::readable, c));
        ASSERT_EQ(1, ::write(tcp.peer, "x", 1));
        while (c.runs == 0) poll(1s);
        EXPECT_EQ(1, r->recv(tcp.ours, buffer));
        EXPECT_EQ(1, send_text(*r, tcp.ours, "y"));
        if (i % 2) {
            ::shutdown(tcp.peer, SHUT_WR);
            while (r->recv(tcp.ours, buffer) == -EAGAIN) {
                counter end;
                if (!r->wait(tcp.ours, direction::readable, end))
                    while (end.runs == 0) poll(1s);
            }
        }
        r->close(tcp.ours);
        EXPECT_EQ("y", read_to_end(tcp.peer));
    }
    EXPECT_EQ(1u, r->attached());
}

}  // namespace
}  // namespace crossover::reactor_test
