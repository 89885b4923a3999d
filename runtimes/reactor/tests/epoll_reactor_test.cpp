// Tests of the epoll reactor alone: no unnecessary system call, and waits from any thread.
#include "runtimes/reactor/epoll_reactor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "runtimes/reactor/tests/every_reactor.hpp"

namespace crossover::reactor_test {
namespace {

// ends[0], which the reactor watches, and its peer.
class epoll_reads : public testing::Test {
  protected:
    void open_tcp() {
        const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* at = reinterpret_cast<sockaddr*>(&address);
        ASSERT_EQ(0, ::bind(listener, at, size));
        ASSERT_EQ(0, ::listen(listener, 1));
        ASSERT_EQ(0, ::getsockname(listener, at, &size));
        ends[0] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(0, ::connect(ends[0], at, size));
        ends[1] = ::accept(listener, nullptr, nullptr);
        ::close(listener);
        r.attach(ends[0]);
    }
    void TearDown() override {
        r.close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    void poll() {
        node_list ready;
        r.poll(1s, ready);
        run_all(ready);
    }
    void send_from_peer(std::string_view text) {
        ASSERT_EQ(static_cast<ssize_t>(text.size()), ::send(ends[1], text.data(), text.size(), 0));
    }

    epoll_reactor r;
    std::array<int, 2> ends{-1, -1};
    std::array<std::byte, 8> buffer;
};

TEST_F(epoll_reads, after_a_short_read_the_kernel_is_asked_again_only_once_an_edge_was_seen) {
    open_tcp();
    send_from_peer("abc");
    poll();
    ASSERT_EQ(3, r.recv(ends[0], buffer));
    send_from_peer("de");
    EXPECT_EQ(-EAGAIN, r.recv(ends[0], buffer));
    poll();
    EXPECT_EQ(2, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, a_read_that_fills_its_buffer_leaves_the_rest_to_the_next) {
    open_tcp();
    send_from_peer("12345678abc");
    poll();
    EXPECT_EQ(8, r.recv(ends[0], buffer));
    EXPECT_EQ(3, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, the_end_that_came_with_the_last_bytes_is_read_without_a_further_edge) {
    open_tcp();
    send_from_peer("abc");
    ::shutdown(ends[1], SHUT_WR);
    pollfd both{ends[0], POLLRDHUP, 0};
    ASSERT_EQ(1, ::poll(&both, 1, 10'000));  // so that one event tells of both
    poll();
    EXPECT_EQ(3, r.recv(ends[0], buffer));
    EXPECT_EQ(0, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, the_end_that_comes_after_a_short_read_wakes_the_waiter) {
    open_tcp();
    send_from_peer("abc");
    poll();
    ASSERT_EQ(3, r.recv(ends[0], buffer));
    counter w;
    ASSERT_EQ(-EAGAIN, r.recv(ends[0], buffer));
    while (r.wait(ends[0], direction::readable, w)) ASSERT_EQ(-EAGAIN, r.recv(ends[0], buffer));
    ::shutdown(ends[1], SHUT_WR);
    while (w.runs == 0) poll();
    EXPECT_EQ(0, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, what_arrives_after_an_event_without_bytes_wakes_the_waiter) {
    open_tcp();
    poll();  // writable, nothing more
    counter w;
    ASSERT_EQ(-EAGAIN, r.recv(ends[0], buffer));
    ASSERT_FALSE(r.wait(ends[0], direction::readable, w));
    send_from_peer("abc");
    while (w.runs == 0) poll();
    EXPECT_EQ(3, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, a_short_datagram_does_not_hide_the_next) {
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()));
    r.attach(ends[0]);
    send_from_peer("abc");
    send_from_peer("de");
    poll();
    EXPECT_EQ(3, r.recv(ends[0], buffer));
    EXPECT_EQ(2, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, a_descriptor_that_is_attached_again_is_asked_afresh) {
    open_tcp();
    send_from_peer("abc");
    poll();
    ASSERT_EQ(3, r.recv(ends[0], buffer));
    r.detach(ends[0]);
    send_from_peer("de");
    r.attach(ends[0]);
    EXPECT_EQ(2, r.recv(ends[0], buffer));
}

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
}  // namespace crossover::reactor_test
