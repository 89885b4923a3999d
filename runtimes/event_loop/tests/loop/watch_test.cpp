// Callbacks for descriptors.
#include "runtimes/event_loop/loop/watch.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "runtimes/event_loop/io/stream.hpp"
#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class watch_test : public on_each_back_end {
  protected:
    void SetUp() override { ASSERT_EQ(0, ::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK)); }
    void TearDown() override {
        for (const int end : ends) ::close(end);
    }
    std::array<int, 2> ends{};
};
CROSSOVER_ON_EACH_BACK_END(watch_test);

coro<> some_turns(int n = 5) {
    for (int i = 0; i < n; ++i) co_await sleep(1ms);
}

TEST_P(watch_test, conformance_141_a_reader_is_called_while_there_is_data_also_if_it_leaves_some) {
    run([](std::array<int, 2> p) -> coro<> {
        loop& l = get_running_loop();
        log seen;
        add_reader(l, p[0], [&] {
            char byte = 0;
            EXPECT_EQ(1, ::read(p[0], &byte, 1));
            seen.push_back(std::string(1, byte));
        });
        co_await some_turns();
        EXPECT_EQ(log{}, seen);
        EXPECT_EQ(3, ::write(p[1], "abc", 3));
        co_await some_turns();
        EXPECT_EQ((log{"a", "b", "c"}), seen);
        EXPECT_EQ(1, ::write(p[1], "d", 1));
        co_await some_turns();
        EXPECT_EQ((log{"a", "b", "c", "d"}), seen);
        EXPECT_TRUE(remove_reader(l, p[0]));
        EXPECT_FALSE(remove_reader(l, p[0]));
        EXPECT_EQ(1, ::write(p[1], "e", 1));
        co_await some_turns();
        EXPECT_EQ(4u, seen.size());
    }(ends));
}

TEST_P(watch_test, conformance_141_adding_again_replaces_and_a_callback_may_remove_itself) {
    run([](std::array<int, 2> p) -> coro<> {
        loop& l = get_running_loop();
        log seen;
        add_reader(l, p[0], [&] { seen.push_back("first"); });
        add_reader(l, p[0], [&] {
            seen.push_back("second");
            EXPECT_TRUE(remove_reader(l, p[0]));
        });
        EXPECT_EQ(1, ::write(p[1], "x", 1));
        co_await some_turns();
        EXPECT_EQ(log{"second"}, seen);
    }(ends));
}

TEST_P(watch_test, conformance_141_the_two_directions_are_apart) {
    run([](std::array<int, 2> p) -> coro<> {
        loop& l = get_running_loop();
        int writable = 0;
        add_writer(l, p[1], [&] { ++writable; });
        co_await some_turns();
        EXPECT_GE(writable, 2) << "in each iteration in which it can be written";
        EXPECT_FALSE(remove_reader(l, p[1]));
        EXPECT_TRUE(remove_writer(l, p[1]));
        const int before = writable;
        co_await some_turns();
        EXPECT_EQ(before, writable);
    }(ends));
}

TEST_P(watch_test, conformance_141_after_close_removing_is_false_and_adding_throws) {
    auto l = std::make_unique<loop>(options());
    add_reader(*l, ends[0], [] {});
    add_writer(*l, ends[1], [] {});
    l->close();
    EXPECT_FALSE(remove_reader(*l, ends[0]));
    EXPECT_FALSE(remove_writer(*l, ends[1]));
    EXPECT_THROW(add_reader(*l, ends[0], [] {}), std::runtime_error);
}

TEST_P(watch_test, an_exception_of_a_callback_is_reported_and_what_cannot_be_watched_is_refused) {
    run([](std::array<int, 2> p) -> coro<> {
        loop& l = get_running_loop();
        log reports;
        l.set_exception_handler([&](loop&, const error_report& r) { reports.push_back(r.message); });
        add_reader(l, p[0], [&] {
            char byte = 0;
            EXPECT_EQ(1, ::read(p[0], &byte, 1));
            throw std::runtime_error("broken");
        });
        EXPECT_EQ(2, ::write(p[1], "xy", 2));
        co_await some_turns();
        EXPECT_EQ(2u, reports.size()) << "it is called again";
        remove_reader(l, p[0]);
        const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        EXPECT_THROW(add_reader(l, file, [] {}), std::system_error);
        EXPECT_FALSE(remove_reader(l, file));
        ::close(file);
    }(ends));
}

TEST_P(watch_test, a_reader_runs_in_the_context_in_which_it_was_added) {
    context_var<int> number("number", 0);
    run([](context_var<int>& v, std::array<int, 2> p) -> coro<> {
        loop& l = get_running_loop();
        future<int> seen(l);
        v.set(1);
        add_reader(l, p[0], [&] {
            seen.set_result(v.get());
            v.set(9);
            remove_reader(l, p[0]);
        });
        v.set(2);
        EXPECT_EQ(1, ::write(p[1], "x", 1));
        const int got = co_await seen;
        EXPECT_EQ(1, got);
        EXPECT_EQ(2, v.get());
    }(number, ends));
}

TEST_P(watch_test, the_descriptor_of_a_stream_is_refused_and_the_stream_goes_on) {
    run([]() -> coro<> {
        std::array<int, 2> pair{};
        EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()));
        auto [reader, writer] = make_stream(socket(pair[0]));
        const task<std::string> reading = create_task(reader.readline());
        co_await sleep(0ns);
        EXPECT_THROW(add_reader(get_running_loop(), writer.fd(), [] {}), std::system_error);
        EXPECT_THROW(add_writer(get_running_loop(), writer.fd(), [] {}), std::system_error);
        EXPECT_FALSE(remove_reader(get_running_loop(), writer.fd()));
        EXPECT_EQ(2, ::write(pair[1], "x\n", 2));
        const std::string line = co_await reading;
        EXPECT_EQ("x\n", line);
        ::close(pair[1]);
    }());
}

TEST_P(watch_test, a_number_that_was_closed_and_used_again_is_another_descriptor) {
    run([]() -> coro<> {
        std::array<int, 2> first{};
        std::array<int, 2> second{};
        EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first.data()));
        reactor& r = get_running_loop().io();
        r.attach(first[0]);
        EXPECT_THROW(r.attach(first[0]), std::system_error);
        ::close(first[0]);
        ::close(first[1]);
        EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second.data()));
        EXPECT_EQ(first[0], second[0]);
        r.attach(second[0]);
        r.close(second[0]);
        ::close(second[1]);
        co_return;
    }());
}

}  // namespace
}  // namespace crossover::asyncio
