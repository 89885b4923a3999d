// The ways out of the loop: using a descriptor without the loop still finds every byte and every client.
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <optional>

#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class ways_out_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(ways_out_test);

constexpr std::array both_transports{transport::unix_socket, transport::tcp};

// Waits until the loop has asked the kernel for it, and then no longer. Twice, because a back end may begin
// to run ahead when it has seen what a descriptor is used for.
coro<> wait_in_vain(coro<std::string> (*wait)(socket&), socket& s) {
    for (int i = 0; i < 2; ++i) {
        const task<std::string> t = create_task(wait(s));
        co_await sleep(0ns);
        co_await sleep(0ns);
        EXPECT_TRUE(t.cancel());
        co_await until_done(t);
    }
}

coro<std::string> reads_once(socket& s) { return reads(s); }

// Lets the loop look at the kernel for a while.
coro<> look_around() {
    for (int i = 0; i < 5; ++i) co_await sleep(1ms);
}

void write_plainly(const socket& to, std::string_view text) {
    ASSERT_EQ(static_cast<ssize_t>(text.size()), ::send(to.fd(), text.data(), text.size(), MSG_NOSIGNAL));
}

coro<std::string> accepts(socket& at) {
    const socket s = co_await sock_accept(at);
    co_return "a client";
}

int accept_plainly(const listener& at) {
    int clients = 0;
    for (int fd; (fd = ::accept4(at.own.fd(), nullptr, nullptr, SOCK_NONBLOCK)) >= 0; ++clients) ::close(fd);
    return clients;
}

TEST_P(ways_out_test, what_comes_after_a_cancelled_read_is_found_by_the_program) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        run([](socket& in, socket& out) -> coro<> {
            co_await wait_in_vain(&reads_once, in);
            write_plainly(out, "late");
            co_await look_around();
            EXPECT_EQ("late", read_plainly(in.fd()));
        }(ours, theirs));
    }
}

TEST_P(ways_out_test, a_read_that_is_cancelled_when_its_data_has_come_leaves_it_to_the_program) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        run([](socket& in, socket& out) -> coro<> {
            co_await wait_in_vain(&reads_once, in);
            const task<std::string> t = create_task(reads(in));
            co_await sleep(0ns);
            co_await sleep(0ns);
            write_plainly(out, "just now");
            co_await sleep(0ns);  // the loop has looked at the kernel, and this task comes first
            if (t.cancel()) {
                EXPECT_EQ("just now", read_plainly(in.fd()));
                co_await until_done(t);
                EXPECT_TRUE(t.cancelled());
            } else {
                EXPECT_EQ("just now", t.result());
            }
        }(ours, theirs));
    }
}

TEST_P(ways_out_test, what_a_small_read_leaves_is_found_by_the_program) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        run([](socket& in, socket& out) -> coro<> {
            co_await wait_in_vain(&reads_once, in);
            std::array<std::byte, 3> three{};
            const auto reading = create_task(sock_recv(in, three));
            co_await sleep(0ns);
            co_await sleep(0ns);
            write_plainly(out, "one two");
            const std::size_t n = co_await reading;
            EXPECT_EQ(3u, n);
            write_plainly(out, " three");
            co_await look_around();
            EXPECT_EQ(" two three", read_plainly(in.fd()));
            write_plainly(out, "four");
            const std::string next = co_await reads(in);
            EXPECT_EQ("four", next) << "and the loop goes on after that";
        }(ours, theirs));
    }
}

TEST_P(ways_out_test, what_nobody_has_read_is_there_after_run_and_in_the_next_loop) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        run([](socket& in, socket& out) -> coro<> {
            co_await wait_in_vain(&reads_once, in);
            write_plainly(out, "first");
            co_await look_around();
        }(ours, theirs));
        EXPECT_EQ("first", read_plainly(ours.fd()));
        run([](socket& in, socket& out) -> coro<> {
            co_await wait_in_vain(&reads_once, in);
            write_plainly(out, "second");
            co_await look_around();
        }(ours, theirs));
        run([](socket& in) -> coro<> {
            const std::string text = co_await reads(in);
            EXPECT_EQ("second", text);
        }(ours));
    }
}

TEST_P(ways_out_test, a_second_loop_beside_the_first_finds_what_that_has_not_read) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        socket same(::dup(ours.fd()));
        loop first(options());
        first.run_until_complete([](socket& in, socket& out) -> coro<> {
            co_await wait_in_vain(&reads_once, in);
            write_plainly(out, "shared");
            co_await look_around();
        }(ours, theirs));
        loop second(options());
        EXPECT_EQ("shared", second.run_until_complete(reads(same)));
    }
}

TEST_P(ways_out_test, clients_that_nobody_has_accepted_are_found_by_the_program_and_by_the_next_loop) {
    listener at;
    std::vector<socket> clients;
    run([](listener& l, std::vector<socket>& made) -> coro<> {
        co_await wait_in_vain(&accepts, l.own);
        for (int i = 0; i < 3; ++i) made.push_back(l.connect());
        co_await look_around();
        EXPECT_EQ(3, accept_plainly(l));
        for (int i = 0; i < 2; ++i) made.push_back(l.connect());
        co_await look_around();
    }(at, clients));
    EXPECT_EQ(2, accept_plainly(at));
    run([](listener& l, std::vector<socket>& made) -> coro<> {
        co_await wait_in_vain(&accepts, l.own);
        made.push_back(l.connect());
        co_await look_around();
    }(at, clients));
    EXPECT_EQ("a client", run(accepts(at.own)));
}

coro<std::string> sends(socket& to, std::string_view text) {
    co_await sock_sendall(to, bytes_of(text));
    co_return "sent";
}

TEST_P(ways_out_test, what_a_cancelled_send_had_begun_goes_before_what_the_program_sends) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        run([](socket& out, socket& in) -> coro<> {
            co_await wait_in_vain(&reads_once, out);
            const task<std::string> sending = create_task(sends(out, "head"));
            co_await sleep(0ns);
            sending.cancel();
            write_plainly(out, " body");
            EXPECT_EQ(0, ::shutdown(out.fd(), SHUT_WR));
            EXPECT_EQ("head body", read_plainly(in.fd()));
            co_await until_done(sending);
        }(ours, theirs));
    }
}

// Until nothing more fits, of the kernel's own accord.
std::size_t fill(const socket& to) {
    const std::string much(64 << 10, 'x');
    std::size_t total = 0;
    for (int full = 0; full < 300;) {  // TCP may put off by 200 ms the answer that makes room once more
        const ssize_t n = ::send(to.fd(), much.data(), much.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        total += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
        full = n < 0 ? full + 1 : 0;
        if (n < 0) ::usleep(1000);
    }
    return total;
}

// All that comes, and it is `expected` at least.
std::size_t read_all(const socket& from, std::size_t expected) {
    std::string piece(1 << 20, '\0');
    std::size_t total = 0;
    for (int empty = 0; total < expected || empty < 20;) {
        const ssize_t n = ::recv(from.fd(), piece.data(), piece.size(), MSG_DONTWAIT);
        total += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
        empty = n <= 0 ? empty + 1 : 0;
        if (n <= 0) ::usleep(1000);
    }
    return total;
}

TEST_P(ways_out_test, what_the_kernel_has_not_taken_of_a_cancelled_send_is_never_sent) {
    for (const transport over : both_transports) {
        auto [ours, theirs] = connected(over);
        const std::size_t before = fill(ours);
        run([](socket& out, socket& in, std::size_t sent) -> coro<> {
            co_await wait_in_vain(&reads_once, out);
            const task<std::string> sending = create_task(sends(out, "too late"));
            co_await look_around();
            EXPECT_FALSE(sending.done());
            sending.cancel();
            co_await until_done(sending);
            EXPECT_EQ(sent, read_all(in, sent));
            co_await look_around();
            EXPECT_EQ(0u, read_all(in, 0));
        }(ours, theirs, before));
    }
}

TEST_P(ways_out_test, a_connection_whose_close_is_an_abort_is_reset_at_once) {
    for (const bool sends_too : {false, true}) {
        auto [ours, theirs] = connected(transport::tcp);
        if (sends_too) fill(ours);
        run([](socket& s, socket& peer, bool both) -> coro<> {
            const task<std::string> reading = create_task(reads(s));
            const task<std::string> sending = both ? create_task(sends(s, "x")) : reading;
            co_await look_around();
            for (const auto& t : {reading, sending}) {
                t.cancel();
                co_await until_done(t);
            }
            const linger at_once{1, 0};
            EXPECT_EQ(0, ::setsockopt(s.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
            s.close();
            int error = 0;
            socklen_t size = sizeof error;
            EXPECT_EQ(0, ::getsockopt(peer.fd(), SOL_SOCKET, SO_ERROR, &error, &size));
            EXPECT_EQ(ECONNRESET, error);
        }(ours, theirs, sends_too));
    }
}

}  // namespace
}  // namespace crossover::asyncio
