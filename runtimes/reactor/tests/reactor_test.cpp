// What every reactor promises, run on each back end.
#include "runtimes/reactor/reactor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "runtimes/reactor/epoll_reactor.hpp"
#include "runtimes/reactor/io_uring_reactor.hpp"

namespace crossover {
namespace {

using namespace std::chrono_literals;

struct back_end {
    const char* name;
    std::unique_ptr<reactor> (*make)();
};

std::unique_ptr<reactor> make_epoll() { return std::make_unique<epoll_reactor>(); }
std::unique_ptr<reactor> make_io_uring() { return std::make_unique<io_uring_reactor>(); }

// A node that counts how often it ran.
struct counter : node {
    counter() : node([](node& n) { ++static_cast<counter&>(n).runs; }) {}
    int runs = 0;
};

void run_all(node_list& list) {
    while (!list.empty()) {
        node& n = list.pop_front();
        n.run(n);
    }
}

std::array<std::byte, 64> buffer;

class every_reactor : public testing::TestWithParam<back_end> {
  protected:
    void SetUp() override {
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()));
        r = GetParam().make();
        r->attach(ends[0]);
    }
    void TearDown() override {
        if (ends[0] >= 0) r->close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    void poll(std::chrono::nanoseconds timeout = 0ns) {
        node_list ready;
        r->poll(timeout, ready);
        run_all(ready);
    }
    // Takes the edges that exist from the start (a fresh socket is writable), so that later ones are told
    // apart. Twice, because a back end may ask the kernel only at the first wait.
    void settle() {
        for (int i = 0; i < 2; ++i) {
            poll();
            counter c;
            for (direction d : {direction::readable, direction::writable})
                if (!r->wait(ends[0], d, c)) r->cancel(ends[0], d, c);
        }
    }
    void send_from_peer(const char* text) {
        ASSERT_GT(::write(ends[1], text, std::string_view(text).size()), 0);
    }

    std::array<int, 2> ends{-1, -1};
    std::unique_ptr<reactor> r;
};

TEST_P(every_reactor, hands_out_a_waiter_once_its_descriptor_is_readable) {
    settle();
    counter c;
    ASSERT_EQ(-EAGAIN, r->recv(ends[0], buffer));
    ASSERT_FALSE(r->wait(ends[0], direction::readable, c));
    poll();
    EXPECT_EQ(0, c.runs);
    send_from_peer("x");
    poll(1s);
    EXPECT_EQ(1, c.runs);
    EXPECT_EQ(1, r->recv(ends[0], buffer));
    poll();
    EXPECT_EQ(1, c.runs);
}

TEST_P(every_reactor, remembers_readiness_that_came_while_nobody_waited) {
    settle();
    send_from_peer("x");
    poll(1s);
    counter c;
    EXPECT_TRUE(r->wait(ends[0], direction::readable, c));
    EXPECT_EQ(1, r->recv(ends[0], buffer));
    EXPECT_FALSE(r->wait(ends[0], direction::readable, c)) << "one edge wakes once";
    EXPECT_TRUE(r->cancel(ends[0], direction::readable, c));
}

TEST_P(every_reactor, keeps_the_two_directions_apart) {
    settle();
    counter reader, writer;
    std::vector<std::byte> much(1 << 20);
    while (r->send(ends[0], much) > 0) continue;
    ASSERT_FALSE(r->wait(ends[0], direction::readable, reader));
    while (r->wait(ends[0], direction::writable, writer)) ASSERT_EQ(-EAGAIN, r->send(ends[0], much));
    send_from_peer("x");
    poll(1s);
    EXPECT_EQ(1, reader.runs);
    EXPECT_EQ(0, writer.runs);
    while (::read(ends[1], much.data(), much.size()) > 0) continue;
    poll(1s);
    EXPECT_EQ(1, writer.runs);
    EXPECT_GT(r->send(ends[0], much), 0);
}

TEST_P(every_reactor, does_not_hand_out_a_cancelled_waiter) {
    settle();
    counter c;
    ASSERT_FALSE(r->wait(ends[0], direction::readable, c));
    EXPECT_TRUE(r->cancel(ends[0], direction::readable, c));
    EXPECT_FALSE(r->cancel(ends[0], direction::readable, c));
    send_from_peer("x");
    poll();
    EXPECT_EQ(0, c.runs);
}

TEST_P(every_reactor, tells_that_a_waiter_was_handed_out_before_the_cancel) {
    settle();
    counter c;
    ASSERT_FALSE(r->wait(ends[0], direction::readable, c));
    send_from_peer("x");
    node_list ready;
    r->poll(1s, ready);
    EXPECT_FALSE(r->cancel(ends[0], direction::readable, c));
    run_all(ready);
    EXPECT_EQ(1, c.runs);
}

TEST_P(every_reactor, wakes_both_directions_when_the_peer_hangs_up) {
    settle();
    counter reader;
    ASSERT_FALSE(r->wait(ends[0], direction::readable, reader));
    ::close(std::exchange(ends[1], -1));
    poll(1s);
    EXPECT_EQ(1, reader.runs);
    EXPECT_EQ(0, r->recv(ends[0], buffer)) << "end of stream";
    EXPECT_EQ(-EPIPE, r->send(ends[0], buffer)) << "and no SIGPIPE";
}

TEST_P(every_reactor, refuses_a_second_waiter_and_an_unknown_descriptor) {
    settle();
    counter first, second;
    ASSERT_FALSE(r->wait(ends[0], direction::readable, first));
    EXPECT_THROW(static_cast<void>(r->wait(ends[0], direction::readable, second)), std::system_error);
    EXPECT_THROW(static_cast<void>(r->wait(ends[1], direction::readable, second)), std::system_error);
    EXPECT_THROW(r->attach(-1), std::system_error);
    EXPECT_TRUE(r->cancel(ends[0], direction::readable, first));
}

TEST_P(every_reactor, starts_afresh_when_a_descriptor_number_is_reused) {
    send_from_peer("x");
    poll(1s);
    const int number = ends[0];
    r->close(ends[0]);
    ::close(ends[1]);
    EXPECT_EQ(0u, r->attached());
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()));
    ASSERT_EQ(number, ends[0]);
    r->attach(ends[0]);
    settle();
    counter c;
    EXPECT_FALSE(r->wait(ends[0], direction::readable, c)) << "the old descriptor's readiness is gone";
    send_from_peer("y");
    poll(1s);
    EXPECT_EQ(1, c.runs);
}

TEST_P(every_reactor, watches_a_descriptor_again_after_a_detach) {
    r->detach(ends[0]);
    EXPECT_EQ(0u, r->attached());
    send_from_peer("x");
    r->attach(ends[0]);
    EXPECT_EQ(1u, r->attached());
    counter c;
    ASSERT_FALSE(r->wait(ends[0], direction::readable, c));
    poll(1s);
    EXPECT_EQ(1, c.runs) << "data that lay there before the attach counts";
}

TEST_P(every_reactor, accepts_connections) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(0, ::bind(listener, reinterpret_cast<sockaddr*>(&address), size));
    ASSERT_EQ(0, ::listen(listener, 8));
    ASSERT_EQ(0, ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size));
    r->attach(listener);
    counter c;
    ASSERT_EQ(-EAGAIN, r->accept(listener));
    ASSERT_FALSE(r->wait(listener, direction::readable, c));
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(0, ::connect(client, reinterpret_cast<sockaddr*>(&address), size));
    for (int i = 0; i < 10 && c.runs == 0; ++i) poll(1s);
    EXPECT_EQ(1, c.runs);
    const int accepted = r->accept(listener);
    ASSERT_GE(accepted, 0);
    EXPECT_TRUE(::fcntl(accepted, F_GETFL) & O_NONBLOCK);
    ::close(accepted);
    ::close(client);
    r->close(listener);
}

TEST_P(every_reactor, sleeps_for_nanoseconds_and_not_less) {
    settle();
    for (auto time : {200'000ns, 1'300'000ns}) {
        std::chrono::nanoseconds least = 1h;
        for (int attempt = 0; attempt < 3; ++attempt) {  // the machine may stall, but not each time
            const auto before = std::chrono::steady_clock::now();
            poll(time);
            least = std::min<std::chrono::nanoseconds>(least, std::chrono::steady_clock::now() - before);
            EXPECT_GE(least, time);
        }
        EXPECT_LT(least, 500ms);
    }
}

TEST_P(every_reactor, is_woken_from_another_thread) {
    settle();
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        r->notify();
    });
    const auto before = std::chrono::steady_clock::now();
    poll(30s);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
    other.join();
}

TEST_P(every_reactor, does_not_sleep_through_a_notice_given_before) {
    settle();
    r->notify();
    const auto before = std::chrono::steady_clock::now();
    poll(30s);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
}

TEST_P(every_reactor, loses_no_notice_of_a_busy_producer) {
    std::atomic<int> posted{0};
    std::thread producer([&] {
        for (int i = 0; i < 2000; ++i) {
            posted.fetch_add(1);
            r->notify();
            if (i % 3 == 0) std::this_thread::yield();
        }
    });
    const auto before = std::chrono::steady_clock::now();
    while (posted.load() < 2000) poll(30s);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
    producer.join();
}

// A connected pair of TCP sockets: the first is the reactor's, the second blocks.
struct tcp_pair {
    tcp_pair() {
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
        ours = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
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

INSTANTIATE_TEST_SUITE_P(on, every_reactor,
                         testing::Values(back_end{"epoll", &make_epoll},
                                         back_end{"io_uring", &make_io_uring}),
                         [](const auto& made) { return std::string(made.param.name); });

// The sum of all eventfd counters of this process; none is ever read, so it counts the writes.
std::uint64_t eventfd_writes() {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);)
            if (line.starts_with("eventfd-count:")) sum += std::stoull(line.substr(14), nullptr, 16);
    }
    return sum;
}

TEST(epoll_reactor, writes_the_eventfd_only_when_the_poller_sleeps) {
    epoll_reactor r;
    const auto before = eventfd_writes();
    node_list ready;
    for (int i = 0; i < 100; ++i) r.notify();
    r.poll(30s, ready);
    EXPECT_EQ(before, eventfd_writes());
    std::atomic<bool> told{false};
    std::thread other([&] {
        std::this_thread::sleep_for(300ms);  // the poller sleeps by now, however busy the machine
        told = true;
        for (int i = 0; i < 100; ++i) r.notify();
    });
    // More than once, because a sleep may be interrupted: by a signal, or by what a closed ring left behind.
    while (!told) r.poll(30s, ready);
    other.join();
    EXPECT_GE(eventfd_writes(), before + 1);
    EXPECT_LE(eventfd_writes(), before + 2);
}

TEST(epoll_reactor, says_why_a_file_cannot_be_watched) {
    epoll_reactor r;
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    EXPECT_THROW(r.attach(file), std::system_error);
    EXPECT_EQ(0u, r.attached());
    ::close(file);
}

TEST(epoll_reactor, serves_waits_of_other_threads_than_the_polling_one) {
    epoll_reactor r;
    std::array<int, 2> ends{};
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()));
    r.attach(ends[0]);
    std::atomic<bool> stop{false};
    std::thread poller([&] {
        node_list ready;
        while (!stop.load()) {
            r.poll(-1ns, ready);
            run_all(ready);
        }
    });
    struct flag : node {
        flag() : node([](node& n) { static_cast<flag&>(n).set.store(true); }) {}
        std::atomic<bool> set{false};
    };
    for (int i = 0; i < 500; ++i) {
        ASSERT_EQ(1, ::write(ends[1], "x", 1));
        for (;;) {
            const ssize_t n = r.recv(ends[0], buffer);
            if (n == 1) break;
            ASSERT_EQ(-EAGAIN, n);
            flag f;
            if (r.wait(ends[0], direction::readable, f)) continue;
            while (!f.set.load()) std::this_thread::yield();
        }
        if (i % 50 == 0) {
            flag f;  // and one that is really kept until the peer writes
            while (r.wait(ends[0], direction::readable, f)) continue;
            ASSERT_EQ(1, ::write(ends[1], "y", 1));
            while (!f.set.load()) std::this_thread::yield();
            ASSERT_EQ(1, r.recv(ends[0], buffer));
        }
    }
    stop.store(true);
    r.notify();
    poller.join();
    r.close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace crossover
