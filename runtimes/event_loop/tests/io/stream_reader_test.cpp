// stream_reader: by size, by separator, by line; fed by hand.
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/io/stream.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/what_of.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class stream_reader_test : public on_each_back_end {};

TEST_P(stream_reader_test, conformance_144_read_gives_what_is_there_and_nothing_only_at_the_end) {
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

TEST_P(stream_reader_test, conformance_145_readexactly_gives_the_partial_data_at_an_early_end) {
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

TEST_P(stream_reader_test, conformance_146_readuntil_finds_separators_split_over_chunks) {
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

TEST_P(stream_reader_test, conformance_146_of_several_separators_the_one_that_ends_first_counts) {
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

TEST_P(stream_reader_test, conformance_146_readuntil_beyond_the_limit_leaves_the_data) {
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

TEST_P(stream_reader_test, conformance_147_readline_drops_exactly_the_line_that_is_too_long) {
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

TEST_P(stream_reader_test,
       conformance_148_an_error_wakes_the_reader_and_a_cancelled_reader_leaves_no_waiter) {
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

TEST_P(stream_reader_test, an_error_comes_out_of_the_read_that_it_woke_whatever_comes_after_it) {
    run([]() -> coro<> {
        const stream_reader r;
        auto reading = create_task(r.readline());
        co_await sleep(0ns);
        r.set_exception(std::make_exception_ptr(std::out_of_range("broken")));
        r.feed_data("a line\n");
        const auto what = co_await what_of<std::out_of_range>(
            [](task<std::string> t) -> coro<std::string> { co_return co_await t; }(reading));
        EXPECT_EQ("broken", what);
    }());
}

TEST_P(stream_reader_test, a_read_that_data_or_the_end_woke_ends_as_if_no_error_had_come_after_it) {
    run([]() -> coro<> {
        const auto broken = std::make_exception_ptr(std::out_of_range("broken"));
        const stream_reader fed;
        auto line = create_task(fed.readline());
        const stream_reader ended;
        auto rest = create_task(ended.readexactly(5));
        co_await sleep(0ns);
        fed.feed_data("a line\n");
        fed.set_exception(broken);
        ended.feed_data("abc");
        ended.feed_eof();
        ended.set_exception(broken);
        const std::string got = co_await line;
        EXPECT_EQ("a line\n", got);
        std::string partial;
        try {
            static_cast<void>(co_await rest);
        } catch (const incomplete_read_error& e) {
            partial = e.partial();
        }
        EXPECT_EQ("abc", partial);
        const auto next = co_await what_of<std::out_of_range>(fed.readline());
        EXPECT_EQ("broken", next);
    }());
}

TEST_P(stream_reader_test, a_limit_of_0_is_refused) {
    run([]() -> coro<> {
        EXPECT_THROW(stream_reader(0), std::invalid_argument);
        co_return;
    }());
}

TEST_P(stream_reader_test, an_error_comes_out_of_every_read_even_with_data_left) {
    run([]() -> coro<> {
        stream_reader r;
        r.feed_data("line\nmore");
        const std::string got = co_await r.read(2);
        EXPECT_EQ("li", got);
        EXPECT_EQ(r.exception(), nullptr);
        r.set_exception(std::make_exception_ptr(std::out_of_range("broken")));
        EXPECT_NE(r.exception(), nullptr);
        std::string what = co_await what_of<std::out_of_range>(r.read(2));
        EXPECT_EQ("broken", what);
        what = co_await what_of<std::out_of_range>(r.readexactly(2));
        EXPECT_EQ("broken", what);
        what = co_await what_of<std::out_of_range>(r.readline());
        EXPECT_EQ("broken", what);
        what = co_await what_of<std::out_of_range>(r.readuntil("e"));
        EXPECT_EQ("broken", what);
    }());
}

TEST_P(stream_reader_test, what_has_ended_is_not_fed_any_more_and_is_at_its_end_when_all_is_read) {
    run([]() -> coro<> {
        stream_reader r;
        EXPECT_FALSE(r.at_eof());
        r.feed_data("some data\n");
        r.feed_eof();
        EXPECT_FALSE(r.at_eof());
        EXPECT_THROW(r.feed_data("late"), std::logic_error);
        static_cast<void>(co_await r.readline());
        EXPECT_TRUE(r.at_eof());
        const std::string end = co_await r.readline();
        EXPECT_EQ("", end);
    }());
}

TEST_P(stream_reader_test, a_reader_that_is_cancelled_in_the_middle_of_a_line_leaves_it_to_the_next) {
    run([]() -> coro<> {
        stream_reader r;
        r.feed_data("half ");
        const task<std::string> reading = create_task(r.readline());
        const task<std::string> exactly = create_task(wait_for(r.readexactly(100), 0ns));
        co_await sleep(0ns);
        r.feed_data("and ");
        reading.cancel();  // it has been woken already
        co_await until_done(reading);
        EXPECT_TRUE(reading.cancelled());
        co_await until_done(exactly);
        EXPECT_NE(exactly.exception(), nullptr);
        r.feed_data("rest\n");
        const std::string line = co_await r.readline();
        EXPECT_EQ("half and rest\n", line);
    }());
}

TEST_P(stream_reader_test, a_line_of_just_the_limit_is_read_and_one_more_byte_is_too_many) {
    run([]() -> coro<> {
        stream_reader r(4);
        r.feed_data("four\nfives\nlast\n");
        std::string got = co_await r.readline();
        EXPECT_EQ("four\n", got);
        const std::string what = co_await what_of<std::length_error>(r.readline());
        EXPECT_EQ("Separator is found, but chunk is longer than limit", what);
        got = co_await r.readline();
        EXPECT_EQ("last\n", got);
    }());
}

TEST_P(stream_reader_test, an_overrun_tells_how_much_to_read_to_be_past_it) {
    run([]() -> coro<> {
        stream_reader r(3);
        r.feed_data("some data");
        std::size_t consumed = 0;
        try {
            static_cast<void>(co_await r.readuntil("AAA"));
        } catch (const limit_overrun_error& e) {
            consumed = e.consumed();
        }
        EXPECT_EQ(consumed, 7u);
        std::string skipped = co_await r.readexactly(7);
        EXPECT_EQ("some da", skipped);
        r.feed_data("AAA");
        const std::string found = co_await r.readuntil("AAA");
        EXPECT_EQ("taAAA", found);
        r.feed_data("QQAAAx");
        r.feed_eof();
        static_cast<void>(co_await r.readuntil("AAA"));
        std::string partial;
        try {
            static_cast<void>(co_await r.readuntil("AAA"));
        } catch (const incomplete_read_error& e) {
            partial = e.partial();
            EXPECT_FALSE(e.expected());
        }
        EXPECT_EQ("x", partial);
        EXPECT_TRUE(r.at_eof());
    }());
}

CROSSOVER_ON_EACH_BACK_END(stream_reader_test);

}  // namespace
}  // namespace crossover::asyncio
