// What a stream notices though nobody reads: the peer's end and its reset; and how far it reads ahead.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <random>

#include "runtimes/event_loop/io/server.hpp"
#include "runtimes/event_loop/io/stream.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class stream_end_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(stream_end_test);

constexpr std::array both_transports{transport::unix_socket, transport::tcp};

// Until it holds; a minute means forever.
coro<> until(std::function<bool()> holds) {
    const auto end = loop::time() + 60s;
    bool held = holds();
    while (!held && loop::time() < end) {
        co_await sleep(1ms);
        held = holds();
    }
    EXPECT_TRUE(held);
}

// So that the peer sees a reset: a Unix socket that is closed with something unread, TCP without lingering.
void reset(socket& s, const stream_writer& peer, transport over) {
    if (over == transport::unix_socket) peer.write("never read");
    const linger at_once{1, 0};
    ::setsockopt(s.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    s.close();
}

int code_of(const std::exception_ptr& e) {
    try {
        if (e) std::rethrow_exception(e);
    } catch (const std::system_error& known) {
        return known.code().value();
    }
    return 0;
}

coro<int> code_of(coro<> what) {
    try {
        co_await what;
    } catch (const std::system_error& e) {
        co_return e.code().value();
    }
    co_return 0;
}

coro<> closed(stream_writer w) { co_await w.wait_closed(); }
coro<> drained(stream_writer w) { co_await w.drain(); }
coro<> read_one(stream_reader r) { static_cast<void>(co_await r.read(1)); }

TEST_P(stream_end_test, the_peers_end_is_noticed_and_leaves_the_connection_open) {
    for (const transport over : both_transports) {
        run([](transport by) -> coro<> {
            auto [ours, theirs] = connected(by);
            const stream_pair s = make_stream(std::move(ours));
            const task<int> waiting = create_task(code_of(closed(s.second)));
            EXPECT_EQ(0, ::shutdown(theirs.fd(), SHUT_WR));
            co_await until([&] { return s.first.at_eof(); });
            EXPECT_FALSE(s.second.is_closing());
            EXPECT_EQ(0, code_of(s.first.exception()));
            EXPECT_FALSE(waiting.done());
            s.second.write("still");
            co_await s.second.drain();
            co_await until([&] { return read_plainly(theirs.fd()) == "still"; });
            s.second.close();
            const int end = co_await waiting;
            EXPECT_EQ(0, end);
        }(over));
    }
}

TEST_P(stream_end_test, what_came_before_the_end_is_read_first) {
    for (const transport over : both_transports) {
        run([](transport by) -> coro<> {
            auto [ours, theirs] = connected(by);
            const stream_pair s = make_stream(std::move(ours));
            EXPECT_EQ(3, ::send(theirs.fd(), "abc", 3, 0));
            theirs.close();
            for (int i = 0; i < 5; ++i) co_await sleep(1ms);
            EXPECT_FALSE(s.first.at_eof());
            const std::string all = co_await s.first.read();
            EXPECT_EQ("abc", all);
            EXPECT_TRUE(s.first.at_eof());
        }(over));
    }
}

TEST_P(stream_end_test, the_peers_reset_is_noticed_and_ends_the_connection) {
    for (const transport over : both_transports) {
        run([](transport by) -> coro<> {
            auto [ours, theirs] = connected(by);
            const stream_pair s = make_stream(std::move(ours));
            const task<int> waiting = create_task(code_of(closed(s.second)));
            co_await sleep(1ms);
            reset(theirs, s.second, by);
            const int end = co_await waiting;
            EXPECT_EQ(ECONNRESET, end);
            EXPECT_TRUE(s.second.is_closing());
            EXPECT_FALSE(s.first.at_eof()) << "it has not ended but failed";
            EXPECT_EQ(ECONNRESET, code_of(s.first.exception()));
            const int drain = co_await code_of(drained(s.second));
            EXPECT_EQ(ECONNRESET, drain);
            const int read = co_await code_of(read_one(s.first));
            EXPECT_EQ(ECONNRESET, read);
            const int again = co_await code_of(closed(s.second));
            EXPECT_EQ(ECONNRESET, again);
        }(over));
    }
}

TEST_P(stream_end_test, a_drain_that_waits_ends_with_the_peers_reset) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected(transport::tcp);
        const stream_pair s = make_stream(std::move(ours));
        s.second.write(std::string(16 << 20, 'x'));
        const task<int> waiting = create_task(code_of(drained(s.second)));
        co_await sleep(1ms);
        EXPECT_FALSE(waiting.done());
        reset(theirs, s.second, transport::tcp);
        const int end = co_await waiting;
        EXPECT_EQ(ECONNRESET, end);
    }());
}

TEST_P(stream_end_test, a_write_to_a_peer_that_has_gone_ends_the_connection_though_nobody_waits) {
    for (const transport over : both_transports) {
        run([](transport by) -> coro<> {
            auto [ours, theirs] = connected(by);
            const stream_pair s = make_stream(std::move(ours));
            theirs.close();
            co_await until([&] { return s.first.at_eof(); });
            co_await until([&] {
                s.second.write("x");
                return s.second.is_closing();
            });
            const int end = co_await code_of(closed(s.second));
            EXPECT_TRUE(end == EPIPE || end == ECONNRESET) << end;
        }(over));
    }
}

TEST_P(stream_end_test, a_reset_behind_more_than_the_limits_is_met_by_who_reads) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected(transport::tcp);
        const stream_pair s = make_stream(std::move(ours), 10);
        EXPECT_EQ(21, ::send(theirs.fd(), std::string(21, 'x').data(), 21, 0));
        for (int i = 0; i < 5; ++i) co_await sleep(1ms);
        reset(theirs, s.second, transport::tcp);
        for (int i = 0; i < 5; ++i) co_await sleep(1ms);
        EXPECT_FALSE(s.second.is_closing()) << "as in CPython: reading has paused";
        const std::string some = co_await s.first.read(11);
        EXPECT_EQ(11u, some.size());
        co_await until([&] { return s.second.is_closing(); });
        EXPECT_EQ(ECONNRESET, code_of(s.first.exception()));
    }());
}

// How much of it the stream and the kernel take.
coro<std::size_t> send_until_full(const socket& to) {
    const std::string piece(1'000, 'x');
    std::size_t total = 0;
    for (int full = 0; full < 10;) {
        const ssize_t n = ::send(to.fd(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        total += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
        full = n < 0 ? full + 1 : 0;
        if (n < 0) co_await sleep(1ms);
    }
    co_return total;
}

struct reading_ahead {
    std::size_t limit;
    std::size_t taken;     // by stream and kernel before anything is read
    std::size_t buffered;  // of them by the stream
    std::size_t again;     // once no more than the limit is left in the stream
};

TEST_P(stream_end_test, conformance_149_reading_pauses_and_goes_on_at_the_same_byte_as_in_cpython) {
    // Counted in CPython 3.13, over a Unix socket pair with its usual buffer.
    const std::array<reading_ahead, 4> counted{{{1, 186'000, 93'000, 93'000},
                                                {1'000, 186'000, 93'000, 93'000},
                                                {65'536, 279'000, 186'000, 93'000},
                                                {1 << 20, 2'232'000, 2'139'000, 1'116'000}}};
    for (const reading_ahead& expected : counted) {
        run([](const reading_ahead& e) -> coro<> {
            auto [ours, theirs] = connected(transport::unix_socket);
            const stream_pair s = make_stream(std::move(ours), e.limit);
            const std::size_t taken = co_await send_until_full(theirs);
            EXPECT_EQ(e.taken, taken) << e.limit;
            const auto above = static_cast<std::ptrdiff_t>(e.buffered - e.limit);
            if (above > 1) static_cast<void>(co_await s.first.readexactly(above - 1));
            const std::size_t still_paused = co_await send_until_full(theirs);
            EXPECT_EQ(0u, still_paused) << e.limit;
            static_cast<void>(co_await s.first.readexactly(1));
            const std::size_t again = co_await send_until_full(theirs);
            EXPECT_EQ(e.again, again) << e.limit;
        }(expected));
    }
}

TEST_P(stream_end_test, a_server_lets_go_of_clients_that_reset_though_nobody_reads) {
    run([]() -> coro<> {
        std::vector<stream_writer> kept;
        const auto keeps = [&](stream_reader, stream_writer w) -> coro<> {
            kept.push_back(w);
            co_return;
        };
        const server s = co_await start_server(keeps, "127.0.0.1", 0);
        const auto connect = [&]() -> coro<stream_pair> { return open_connection("127.0.0.1", s.port()); };
        for (int i = 0; i < 3; ++i) {
            const stream_pair client = co_await connect();
            co_await until([&] { return kept.size() > static_cast<std::size_t>(i); });
            client.second.abort();
        }
        co_await until([&] { return s.clients() == 0; });
        s.close();
        co_await s.wait_closed();
    }());
}

std::string pattern(std::size_t bytes) {
    std::string text(bytes, ' ');
    for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + i * 7 / 5 % 26);
    return text;
}

coro<> send_in_pieces(stream_writer to, const std::string& text, std::mt19937 random) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t n = std::min<std::size_t>(1 + random() % 5'000, text.size() - at);
        to.write(std::string_view(text).substr(at, n));
        at += n;
        co_await to.drain();
        if (random() % 8 == 0) co_await sleep(0ns);
    }
    to.close();
}

TEST_P(stream_end_test, nothing_is_lost_or_doubled_however_readers_come_and_go) {
    const std::string text = pattern(600'000);
    for (const transport over : both_transports) {
        run([](transport by, const std::string& expected) -> coro<> {
            auto ends = connected(by);
            const stream_pair ours = make_stream(std::move(ends.first), 700);
            const task<> sending = [&] {
                const stream_pair theirs = make_stream(std::move(ends.second));
                return create_task(send_in_pieces(theirs.second, expected, std::mt19937(1)));
            }();
            std::mt19937 random(2);
            std::string got;
            while (!ours.first.at_eof()) {
                const auto n = static_cast<std::ptrdiff_t>(1 + random() % 4'000);
                const task<std::string> reading = create_task(ours.first.read(n));
                for (unsigned i = random() % 4; i > 0; --i) co_await sleep(0ns);
                if (random() % 4 == 0) reading.cancel();
                co_await until_done(reading);
                if (!reading.cancelled()) got += reading.result();
            }
            co_await sending;
            EXPECT_EQ(expected.size(), got.size());
            EXPECT_TRUE(expected == got);
        }(over, text));
    }
}

}  // namespace
}  // namespace crossover::asyncio
