// Tests of waits, sleeps and notices, on each back end of the reactor.
#include "runtimes/reactor/reactor.hpp"

#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtimes/reactor/epoll_reactor.hpp"
#include "runtimes/reactor/io_uring_reactor.hpp"
#include "runtimes/reactor/tests/every_reactor.hpp"

namespace crossover::reactor_test {
namespace {

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
    while (posted.load() < 2000) {
        const auto before = std::chrono::steady_clock::now();
        poll(30s);
        EXPECT_LT(std::chrono::steady_clock::now() - before, 20s) << "it slept through a notice";
    }
    producer.join();
}

std::unique_ptr<reactor> make_epoll() { return std::make_unique<epoll_reactor>(); }
std::unique_ptr<reactor> make_io_uring() { return std::make_unique<io_uring_reactor>(); }

INSTANTIATE_TEST_SUITE_P(on, every_reactor,
                         testing::Values(back_end{"epoll", &make_epoll},
                                         back_end{"io_uring", &make_io_uring}),
                         [](const auto& made) { return std::string(made.param.name); });

}  // namespace
}  // namespace crossover::reactor_test
