// Streams and servers.
#include "runtimes/event_loop/stream.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "runtimes/event_loop/server.hpp"
#include "runtimes/event_loop/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/timeout.hpp"

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

template <class Error, class T>
coro<std::string> what_of(coro<T> c) {
    try {
        static_cast<void>(co_await c);
    } catch (const Error& e) {
        co_return e.what();
    }
    co_return "no error";
}

TEST_P(stream_test, conformance_144_read_gives_what_is_there_and_nothing_only_at_the_end) {
    run([]() -> coro<> {
        stream_reader r;
        r.feed_data("line1\nline2");
        std::string got = co_await r.read(0);
        EXPECT_EQ("", got);
        got = co_await r.read(5);
        EXPECT_EQ("line1", got);
        got = co_await r.read(100);
        EXPECT_EQ("\nline2", got);
        auto waiting = create_task(r.read(100));
        co_await sleep(0ns);
        EXPECT_FALSE(waiting.done());
        r.feed_data("x");
        got = co_await waiting;
        EXPECT_EQ("x", got);
        auto to_end = create_task(r.read());
        r.feed_data("a");
        co_await sleep(0ns);
        r.feed_data("b");
        co_await sleep(0ns);
        EXPECT_FALSE(to_end.done());
        EXPECT_FALSE(r.at_eof());
        r.feed_eof();
        got = co_await to_end;
        EXPECT_EQ("ab", got);
        EXPECT_TRUE(r.at_eof());
        got = co_await r.read(10);
        EXPECT_EQ("", got);
    }());
}

TEST_P(stream_test, conformance_145_readexactly_gives_the_partial_data_at_an_early_end) {
    run([]() -> coro<> {
        stream_reader r;
        std::string got = co_await r.readexactly(0);
        EXPECT_EQ("", got);
        auto negative = co_await what_of<std::invalid_argument>(r.readexactly(-1));
        EXPECT_EQ("readexactly: the size must not be negative", negative);
        auto four = create_task(r.readexactly(4));
        r.feed_data("ab");
        co_await sleep(0ns);
        r.feed_data("cdef");
        got = co_await four;
        EXPECT_EQ("abcd", got);
        r.feed_eof();
        bool threw = false;
        try {
            co_await r.readexactly(3);
        } catch (const incomplete_read_error& e) {
            threw = true;
            EXPECT_EQ("ef", e.partial());
            EXPECT_EQ(3u, e.expected());
        }
        EXPECT_TRUE(threw);
        EXPECT_TRUE(r.at_eof()) << "the partial data is consumed";
    }());
}

TEST_P(stream_test, conformance_146_readuntil_finds_separators_split_over_chunks) {
    run([]() -> coro<> {
        stream_reader r;
        auto until = create_task(r.readuntil("END"));
        for (const char* piece : {"dataE", "NDdat", "aEN"}) {
            r.feed_data(piece);
            co_await sleep(0ns);
        }
        std::string got = co_await until;
        EXPECT_EQ("dataEND", got);
        r.feed_data("Dtail");
        got = co_await r.readuntil("END");
        EXPECT_EQ("dataEND", got);
        r.feed_eof();
        bool threw = false;
        try {
            co_await r.readuntil("END");
        } catch (const incomplete_read_error& e) {
            threw = true;
            EXPECT_EQ("tail", e.partial());
            EXPECT_FALSE(e.expected());
        }
        EXPECT_TRUE(threw);
        auto empty = co_await what_of<std::invalid_argument>(r.readuntil(""));
        EXPECT_NE("no error", empty);
    }());
}

TEST_P(stream_test, conformance_146_of_several_separators_the_one_that_ends_first_counts) {
    run([]() -> coro<> {
        stream_reader r(8);
        const std::vector<std::string> ends{"\r\n", "\n", "abc"};
        r.feed_data("one\r\ntwo\nxabcd");
        std::string got = co_await r.readuntil(ends);
        EXPECT_EQ("one\r\n", got);
        got = co_await r.readuntil(ends);
        EXPECT_EQ("two\n", got);
        got = co_await r.readuntil(ends);
        EXPECT_EQ("xabc", got);
        auto split = create_task(r.readuntil(ends));
        co_await sleep(0ns);
        r.feed_data("a");
        co_await sleep(0ns);
        r.feed_data("bc");
        got = co_await split;
        EXPECT_EQ("dabc", got);
        r.feed_data("much too long");
        auto what = co_await what_of<limit_overrun_error>(r.readuntil(ends));
        EXPECT_EQ("Separator is not found, and chunk exceed the limit", what);
        what = co_await what_of<std::invalid_argument>(r.readuntil(std::vector<std::string>()));
        EXPECT_NE("no error", what);
        const std::vector<std::string> one_is_empty(2);
        what = co_await what_of<std::invalid_argument>(r.readuntil(one_is_empty));
        EXPECT_NE("no error", what);
    }());
}

TEST_P(stream_test, conformance_146_readuntil_beyond_the_limit_leaves_the_data) {
    run([]() -> coro<> {
        stream_reader r(3);
        r.feed_data("some dataAA");
        auto what = co_await what_of<limit_overrun_error>(r.readuntil("AAA"));
        EXPECT_EQ("Separator is not found, and chunk exceed the limit", what);
        r.feed_data("A");
        what = co_await what_of<limit_overrun_error>(r.readuntil("AAA"));
        EXPECT_EQ("Separator is found, but chunk is longer than limit", what);
        r.feed_eof();
        const std::string all = co_await r.read();
        EXPECT_EQ("some dataAAA", all);
    }());
}

TEST_P(stream_test, conformance_147_readline_drops_exactly_the_line_that_is_too_long) {
    run([]() -> coro<> {
        stream_reader r(3);
        r.feed_data("li");
        r.feed_data("ne1\nline2\n");
        for (int i = 0; i < 2; ++i) {
            auto what = co_await what_of<std::length_error>(r.readline());
            EXPECT_EQ("Separator is found, but chunk is longer than limit", what);
        }
        r.feed_data("no end yet");
        auto what = co_await what_of<std::length_error>(r.readline());
        EXPECT_EQ("Separator is not found, and chunk exceed the limit", what);
        r.feed_data("ab\nc");
        r.feed_eof();
        std::string got = co_await r.readline();
        EXPECT_EQ("ab\n", got);
        got = co_await r.readline();
        EXPECT_EQ("c", got) << "the last line may lack its end";
        got = co_await r.readline();
        EXPECT_EQ("", got);
    }());
}

TEST_P(stream_test, conformance_148_an_error_wakes_the_reader_and_a_cancelled_reader_leaves_no_waiter) {
    run([]() -> coro<> {
        stream_reader r;
        auto reading = create_task(r.readline());
        co_await sleep(0ns);
        reading.cancel();
        co_await until_done(reading);
        EXPECT_TRUE(reading.cancelled());
        auto again = create_task(r.readline());
        co_await sleep(0ns);
        auto second = co_await what_of<std::runtime_error>(r.readline());
        EXPECT_NE(std::string::npos, second.find("one task at a time"));
        r.set_exception(std::make_exception_ptr(std::out_of_range("broken")));
        auto what = co_await what_of<std::out_of_range>(
            [](task<std::string> t) -> coro<std::string> { co_return co_await t; }(again));
        EXPECT_EQ("broken", what);
    }());
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

TEST_P(stream_test, write_eof_ends_one_direction_only) {
    run([]() -> coro<> {
        auto [ours, theirs] = connected();
        ours.second.write("question");
        ours.second.write_eof();
        std::string got = co_await theirs.first.read();
        EXPECT_EQ("question", got);
        theirs.second.write("answer");
        got = co_await ours.first.readexactly(6);
        EXPECT_EQ("answer", got);
    }());
}

coro<> echo_lines(stream_reader reader, stream_writer writer) {
    for (;;) {
        const std::string line = co_await reader.readline();
        if (line.empty()) break;
        writer.write(line);
        co_await writer.drain();
    }
    writer.close();
}

TEST_P(stream_test, conformance_154_a_server_serves_many_clients_and_waits_for_them) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, "127.0.0.1", 0);
        EXPECT_TRUE(s.is_serving());
        std::vector<task<>> clients;
        for (int i = 0; i < 20; ++i)
            clients.push_back(create_task([](std::uint16_t port, int n) -> coro<> {
                auto [reader, writer] = co_await open_connection("localhost", port);
                for (int k = 0; k < 10; ++k) {
                    const std::string line = std::to_string(n * k) + "\n";
                    writer.write(line);
                    const std::string got = co_await reader.readline();
                    EXPECT_EQ(line, got);
                }
                writer.close();
                co_await writer.wait_closed();
            }(s.port(), i)));
        for (auto& c : clients) co_await c;
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        writer.write("x\n");
        const std::string one = co_await reader.readline();
        EXPECT_EQ("x\n", one);
        s.close();
        EXPECT_FALSE(s.is_serving());
        EXPECT_TRUE(s.addresses().empty());
        auto closed = create_task(s.wait_closed());
        co_await sleep(2ms);
        EXPECT_FALSE(closed.done()) << "a connection is open";
        writer.write("still served\n");
        const std::string two = co_await reader.readline();
        EXPECT_EQ("still served\n", two);
        writer.close();
        co_await closed;
    }());
}

TEST_P(stream_test, conformance_154_cancelling_serve_forever_closes_the_server) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, "127.0.0.1", 0);
        const std::uint16_t port = s.port();
        auto serving = create_task(s.serve_forever());
        co_await sleep(1ms);
        EXPECT_FALSE(serving.done());
        serving.cancel();
        co_await until_done(serving);
        EXPECT_TRUE(serving.cancelled());
        EXPECT_FALSE(s.is_serving());
        auto what = co_await what_of<std::system_error>(open_connection("127.0.0.1", port));
        EXPECT_NE(std::string::npos, what.find("connecting to 127.0.0.1:"));
    }());
}

TEST_P(stream_test, conformance_154_close_clients_and_abort_clients_end_connections) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, "127.0.0.1", 0);
        for (const bool abort : {false, true}) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
            writer.write("x\n");
            const std::string line = co_await reader.readline();
            EXPECT_EQ("x\n", line);
            EXPECT_EQ(1u, s.clients());
            if (abort)
                s.abort_clients();
            else
                s.close_clients();
            EXPECT_EQ(0u, s.clients());
            bool reset = false;
            try {
                const std::string end = co_await reader.read();
                EXPECT_EQ("", end);
            } catch (const std::system_error&) {
                reset = true;
            }
            EXPECT_EQ(abort, reset);
        }
        s.close();
        co_await s.wait_closed();
    }());
}

TEST_P(stream_test, conformance_153_an_exception_of_a_handler_is_reported_and_a_cancellation_is_silent) {
    log reports;
    run([](log& reported) -> coro<> {
        get_running_loop().set_exception_handler(
            [&reported](loop&, const error_report& r) { reported.push_back(r.message); });
        auto handler = [](stream_reader reader, stream_writer) -> coro<> {
            const std::string line = co_await reader.readline();
            if (line == "throw\n") throw std::runtime_error("handler failed");
            current_task().cancel();
            co_await sleep(1h);
        };
        const server s = co_await start_server(handler, "127.0.0.1", 0);
        for (const char* what : {"throw\n", "cancel\n"}) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
            writer.write(what);
            const std::string end = co_await reader.read();
            EXPECT_EQ("", end) << "the connection was closed";
        }
        s.close();
        co_await s.wait_closed();
    }(reports));
    EXPECT_EQ(log{"Unhandled exception in client_connected_cb"}, reports);
}

TEST_P(stream_test, conformance_156_a_unix_server_removes_its_socket_unless_it_was_replaced) {
    const std::string path =
        testing::TempDir() + "crossover_stream_" + std::to_string(::getpid()) + GetParam().name;
    run([](std::string at) -> coro<> {
        const server first = co_await start_unix_server(&echo_lines, at);
        auto [reader, writer] = co_await open_unix_connection(at);
        writer.write("hello\n");
        const std::string line = co_await reader.readline();
        EXPECT_EQ("hello\n", line);
        const server second = co_await start_unix_server(&echo_lines, at);
        first.close();
        EXPECT_TRUE(std::filesystem::exists(at)) << "it is the second server's";
        second.close();
        EXPECT_FALSE(std::filesystem::exists(at));
    }(path));
}

TEST_P(stream_test, what_is_open_when_the_loop_closes_is_closed) {
    int fd = -1;
    run([](int& ours_fd) -> coro<> {
        auto deaf = [](stream_reader, stream_writer) -> coro<> { co_await sleep(1h); };
        const server s = co_await start_server(deaf, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        writer.write(std::string(8 << 20, 'z'));
        ours_fd = ::fcntl(writer.fd(), F_DUPFD_CLOEXEC, 0);
    }(fd));
    char byte;
    EXPECT_LE(::recv(fd, &byte, 1, MSG_DONTWAIT), 0);
    EXPECT_NE(EAGAIN, errno);
    ::close(fd);
}

}  // namespace
}  // namespace crossover::asyncio
