// Streams over sockets.
#include "runtimes/event_loop/io/stream.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/io/server.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"
#include "runtimes/event_loop/tests/what_of.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class stream_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(stream_test);

// Two streams, connected.
std::pair<stream_pair, stream_pair> connected(std::size_t limit = default_stream_limit) {
    std::array<int, 2> ends{};
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()));
    return {make_stream(socket(ends[0]), limit), make_stream(socket(ends[1]), limit)};
}

TEST_P(stream_test, conformance_148_a_cancelled_reader_of_a_socket_loses_no_data) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        auto reading = create_task(ours.first.read(10));
        co_await sleep(0ns);
        reading.cancel();
        co_await until_done(reading);
        theirs.second.write("late");
        const std::string got = co_await ours.first.read(10);
        EXPECT_EQ("late", got);
    }());
}

TEST_P(stream_test, each_end_knows_its_address_and_that_of_its_peer) {
    run([]() -> coro<> {
        future<std::string> seen(get_running_loop());
        const auto tells = [&](stream_reader, stream_writer writer) -> coro<> {
            seen.set_result(writer.peer_address().text() + " to " + writer.local_address().text());
            co_return;
        };
        const server s = co_await start_server(tells, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        const std::string got = co_await seen;
        EXPECT_EQ(got, writer.local_address().text() + " to " + writer.peer_address().text());
        EXPECT_EQ(writer.peer_address().port(), s.port());
        writer.close();
        co_await writer.wait_closed();
        EXPECT_THROW(static_cast<void>(writer.peer_address()), std::system_error);
        s.close();
    }());
}

TEST_P(stream_test, conformance_149_drain_waits_above_the_high_water_mark_and_several_may_wait) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        const std::string much(4 << 20, 'x');
        ours.second.write(much);
        EXPECT_GT(ours.second.unsent(), 64u * 1024);
        auto first = create_task(ours.second.drain());
        auto second = create_task(ours.second.drain());
        for (int i = 0; i < 5; ++i) co_await sleep(0ns);
        EXPECT_FALSE(first.done());
        EXPECT_FALSE(second.done());
        const std::string got = co_await theirs.first.readexactly(4 << 20);
        EXPECT_EQ(much, got);
        co_await first;
        co_await second;
        EXPECT_LE(ours.second.unsent(), 16u * 1024);
        co_await ours.second.drain();
    }());
}

TEST_P(stream_test, conformance_149_what_nobody_reads_stays_with_the_peer) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected(1024);
        theirs.second.write(std::string(4 << 20, 'x'));
        const std::string some = co_await ours.first.read(10);
        EXPECT_EQ(10u, some.size());
        co_await sleep(5ms);
        EXPECT_GT(theirs.second.unsent(), 1u << 20) << "the reader has not swallowed it all";
        theirs.second.abort();
    }());
}

TEST_P(stream_test, conformance_150_writing_to_a_closed_peer_ends_in_an_error_of_drain) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        theirs.second.close();
        co_await theirs.second.wait_closed();
        std::string what = "no error";
        for (int i = 0; i < 100 && what == "no error"; ++i) {
            ours.second.write("data");
            what = co_await what_of<std::system_error>([](stream_writer w) -> coro<int> {
                co_await w.drain();
                co_return 0;
            }(ours.second));
        }
        EXPECT_NE(std::string::npos, what.find("connection lost"));
        EXPECT_TRUE(ours.second.is_closing());
        ours.second.write("ignored");
    }());
}

TEST_P(stream_test, conformance_152_close_ends_the_reader_and_wait_closed_works_with_unread_data) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        theirs.second.write("unread");
        auto reading = create_task([](stream_reader r) -> coro<std::string> {
            co_await sleep(1ms);
            co_return co_await r.read(1000);
        }(ours.first));
        ours.second.close();
        EXPECT_TRUE(ours.second.is_closing());
        co_await ours.second.wait_closed();
        const std::string got = co_await reading;
        EXPECT_EQ("", got);
        EXPECT_TRUE(ours.first.at_eof());
        ours.second.close();
    }());
}

TEST_P(stream_test, conformance_152_close_sends_what_was_written_and_wakes_the_reader) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        const std::string much(2 << 20, 'y');
        auto reading = create_task(ours.first.read(1));
        co_await sleep(0ns);
        ours.second.write(much);
        ours.second.close();
        const std::string nothing = co_await reading;
        EXPECT_EQ("", nothing);
        const std::string got = co_await theirs.first.read();
        EXPECT_EQ(much, got);
    }());
}

TEST_P(stream_test, writelines_sends_each_in_turn) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        const std::vector<std::string> lines{"one\n", "", "two\n"};
        ours.second.writelines(lines);
        const std::string got = co_await theirs.first.readexactly(8);
        EXPECT_EQ(got, "one\ntwo\n");
    }());
}

TEST_P(stream_test, write_eof_ends_one_direction_only) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        ours.second.write("question");
        ours.second.write_eof();
        EXPECT_THROW(ours.second.write("more"), std::logic_error);
        std::string got = co_await theirs.first.read();
        EXPECT_EQ("question", got);
        theirs.second.write("answer");
        got = co_await ours.first.readexactly(6);
        EXPECT_EQ("answer", got);
    }());
}

coro<std::string> end_of(stream_writer w) {
    try {
        co_await w.wait_closed();
    } catch (const std::system_error& e) {
        co_return e.code() == std::errc::connection_reset ? "reset" : e.what();
    }
    co_return "closed";
}
coro<std::string> drained(stream_writer w) {
    try {
        co_await w.drain();
    } catch (const std::system_error& e) {
        co_return e.code() == std::errc::connection_reset ? "reset" : e.what();
    }
    co_return "drained";
}

TEST_P(stream_test, wait_closed_throws_if_the_connection_was_lost_and_not_if_it_was_closed_or_aborted) {
    run([]() -> coro<> {
        for (const bool abort : {false, true}) {
            auto [ours, theirs] = connected();
            if (abort)
                ours.second.abort();
            else
                ours.second.close();
            const std::string end = co_await end_of(ours.second);
            EXPECT_EQ(end, "closed");
            const std::string drain = co_await drained(ours.second);
            EXPECT_EQ(drain, "reset");
        }
        auto [ours, theirs] = connected();
        ours.second.write("never read");
        theirs.second.close();  // with unread data: a reset
        const std::string read = co_await what_of<std::system_error>(ours.first.read());
        EXPECT_NE(read.find("connection lost"), std::string::npos);
        const std::string end = co_await end_of(ours.second);
        EXPECT_EQ(end, "reset");
        ours.second.close();
        const std::string drain = co_await drained(ours.second);
        EXPECT_EQ(drain, "reset");
        EXPECT_TRUE(ours.second.is_closing());
    }());
}

TEST_P(stream_test, a_drain_that_waits_is_cancelled_alone_or_ends_with_the_connection) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        ours.second.write(std::string(4 << 20, 'x'));
        const task<std::string> first = create_task(drained(ours.second));
        const task<std::string> second = create_task(drained(ours.second));
        co_await sleep(0ns);
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        EXPECT_FALSE(second.done());
        ours.second.abort();
        const std::string end = co_await second;
        EXPECT_EQ(end, "drained") << "nothing is left to wait for, and whoever aborted knows";
        EXPECT_EQ(ours.second.unsent(), 0u);
    }());
}

// Writes and drains until it has to wait; how often it wrote.
coro<int> writes_until_full(const stream_writer& to, std::size_t bytes) {
    int writes = 0;
    const task<> writing = create_task([](const stream_writer& w, std::size_t size, int& count) -> coro<> {
        const std::string data(size, 'x');
        for (; count < 10'000; ++count) {
            w.write(data);
            co_await w.drain();
        }
    }(to, bytes, writes));
    for (int i = 0; i < 3 && !writing.done(); ++i) co_await sleep(1ms);
    EXPECT_FALSE(writing.done());
    writing.cancel();
    co_await until_done(writing);
    co_return writes + 1;
}

TEST_P(stream_test, drain_waits_after_as_many_writes_as_in_cpython) {
    // Counted in CPython 3.13, over a Unix socket pair whose other end nobody reads, with its usual buffer.
    const std::array<std::pair<std::size_t, int>, 5> counted{
        {{1'000, 159}, {16'384, 18}, {65'536, 5}, {65'537, 5}, {100'000, 4}}};
    for (const auto& [bytes, writes] : counted) {
        run([](std::size_t size, int expected) -> coro<> {
            auto [end, unread] = connected(transport::unix_socket);
            const stream_pair ours = make_stream(std::move(end));
            const int seen = co_await writes_until_full(ours.second, size);
            EXPECT_EQ(expected, seen) << size;
            EXPECT_GT(ours.second.unsent(), 64u * 1024);
        }(bytes, writes));
    }
}

TEST_P(stream_test, lower_limits_hold_for_what_is_unsent_already) {
    run([]() -> coro<> {
        auto [end, unread] = connected(transport::unix_socket);
        const stream_pair ours = make_stream(std::move(end));
        while (ours.second.unsent() == 0) ours.second.write(std::string(1'000, 'x'));
        const std::string at_first = co_await drained(ours.second);
        EXPECT_EQ("drained", at_first);
        ours.second.set_write_buffer_limits(0, 0);
        const task<std::string> first = create_task(drained(ours.second));
        const task<std::string> second = create_task(drained(ours.second));
        for (int i = 0; i < 5; ++i) co_await sleep(0ns);
        EXPECT_FALSE(first.done() || second.done());
        while (!first.done() || !second.done()) {
            static_cast<void>(read_plainly(unread.fd()));
            co_await sleep(0ns);
        }
        EXPECT_EQ(0u, ours.second.unsent());
    }());
}

TEST_P(stream_test, a_low_mark_above_the_high_one_is_refused) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        EXPECT_THROW(ours.second.set_write_buffer_limits(10, 11), std::invalid_argument);
        ours.second.set_write_buffer_limits(10, 10);
        co_return;
    }());
}

TEST_P(stream_test, what_a_stream_wrote_at_once_goes_before_what_the_program_sends_by_itself) {
    run([]() -> coro<> {
        const auto waits = [](stream_reader reader, stream_writer writer) -> coro<> {
            const std::string all = co_await reader.read();
            writer.write(all);
            co_await writer.drain();
        };
        const server s = co_await start_server(waits, "127.0.0.1", 0);
        auto ours = co_await open_connection("127.0.0.1", s.port());
        ours.second.write("head");
        EXPECT_EQ(4, ::send(ours.second.fd(), "body", 4, 0));
        ours.second.write("end");
        EXPECT_EQ(0, ::shutdown(ours.second.fd(), SHUT_WR));
        const std::string all = co_await ours.first.read();
        EXPECT_EQ("headbodyend", all);
        s.close();
    }());
}

TEST_P(stream_test, a_host_that_is_not_known_is_a_system_error_that_names_it) {
    run([]() -> coro<> {
        const std::string open = co_await what_of<std::system_error>(open_connection("no-such.invalid", 80));
        EXPECT_EQ(0u, open.find("looking up host 'no-such.invalid': "));
        const auto nobody = [](stream_reader, stream_writer) -> coro<> { co_return; };
        const std::string serve =
            co_await what_of<std::system_error>(start_server(nobody, "no-such.invalid", 0));
        EXPECT_EQ(0u, serve.find("looking up host 'no-such.invalid': "));
    }());
}

}  // namespace
}  // namespace crossover::asyncio
