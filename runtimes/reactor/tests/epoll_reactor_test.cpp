// What only the reactor on epoll does: it does not ask the kernel for what an emptied socket cannot have.
#include "runtimes/reactor/epoll_reactor.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace crossover {
namespace {

using namespace std::chrono_literals;

struct waiter : node {
    waiter() : node([](node& n) { ++static_cast<waiter&>(n).runs; }) {}
    int runs = 0;
};

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
        while (!ready.empty()) {
            node& n = ready.pop_front();
            n.run(n);
        }
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
    waiter w;
    ASSERT_EQ(-EAGAIN, r.recv(ends[0], buffer));
    while (r.wait(ends[0], direction::readable, w)) ASSERT_EQ(-EAGAIN, r.recv(ends[0], buffer));
    ::shutdown(ends[1], SHUT_WR);
    while (w.runs == 0) poll();
    EXPECT_EQ(0, r.recv(ends[0], buffer));
}

TEST_F(epoll_reads, what_arrives_after_an_event_without_bytes_wakes_the_waiter) {
    open_tcp();
    poll();  // writable, nothing more
    waiter w;
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

}  // namespace
}  // namespace crossover
