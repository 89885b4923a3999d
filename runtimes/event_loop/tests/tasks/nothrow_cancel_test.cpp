// nothrow_cancel: frames that catch nothing are destroyed, those that catch see the exception.
#include "runtimes/event_loop/tasks/nothrow_cancel.hpp"

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class nothrow_cancel_test : public on_each_back_end {};

class noted_end {
  public:
    noted_end(log& seen, std::string what) : seen_(seen), what_(std::move(what)) {}
    noted_end(const noted_end&) = delete;
    noted_end& operator=(const noted_end&) = delete;
    ~noted_end() { seen_.push_back(what_ + (std::uncaught_exceptions() ? " by exception" : "")); }

  private:
    log& seen_;
    std::string what_;
};

coro<int> leaf(nothrow_cancel_t, log& seen) {
    const noted_end end(seen, "leaf");
    co_await sleep(1h);
    seen.push_back("leaf went on");
    co_return 1;
}

coro<int> middle(nothrow_cancel_t, log& seen) {
    const noted_end end(seen, "middle");
    const int n = co_await leaf(nothrow_cancel, seen);
    seen.push_back("middle went on");
    co_return n + 1;
}

coro<std::string> root(nothrow_cancel_t, log& seen) {
    const noted_end end(seen, "root");
    const int n = co_await middle(nothrow_cancel, seen);
    co_return std::to_string(n);
}

TEST_P(nothrow_cancel_test, a_chain_that_catches_nothing_is_destroyed_from_the_innermost_frame_on) {
    log seen;
    auto body = [&]() -> coro<> {
        const task<std::string> t = create_task(root(nothrow_cancel, seen));
        co_await sleep(0ns);
        t.cancel();
        EXPECT_FALSE(t.done());
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(seen, (log{"leaf", "middle", "root"}));
        EXPECT_THROW(t.result(), cancelled_error);
    };
    run(body());
}

TEST_P(nothrow_cancel_test, a_caller_of_the_ordinary_kind_sees_the_exception) {
    log seen;
    auto catches = [&]() -> coro<std::string> {
        const noted_end end(seen, "catches");
        try {
            co_return co_await root(nothrow_cancel, seen);
        } catch (const cancelled_error& e) {
            seen.push_back(std::string("caught ") + e.what());
        }
        co_await sleep(0ns);
        co_return "saved";
    };
    auto body = [&]() -> coro<> {
        const task<std::string> t = create_task(catches());
        co_await sleep(0ns);
        t.cancel();
        const std::string& got = co_await t;
        EXPECT_EQ(got, "saved");
        // While the exception passes from root() to its caller.
        EXPECT_EQ(seen.back(), "catches");
        EXPECT_EQ(seen[3], "caught cancelled");
    };
    run(body());
    EXPECT_EQ(seen.size(), 5u);
}

TEST_P(nothrow_cancel_test, an_ordinary_coroutine_in_between_may_catch_and_go_on) {
    log seen;
    auto catches = [&]() -> coro<int> {
        try {
            co_await leaf(nothrow_cancel, seen);
        } catch (const cancelled_error&) {
            seen.push_back("caught");
        }
        co_return 7;
    };
    auto above = [&](nothrow_cancel_t) -> coro<int> {
        const noted_end end(seen, "above");
        const int n = co_await catches();
        co_await sleep(0ns);
        co_return n;
    };
    auto body = [&]() -> coro<> {
        const task<int> t = create_task(above(nothrow_cancel));
        co_await sleep(0ns);
        t.cancel();
        const int got = co_await t;
        EXPECT_EQ(got, 7);
    };
    run(body());
    EXPECT_EQ(seen[1], "caught");
    EXPECT_EQ(seen.back(), "above");
}

TEST_P(nothrow_cancel_test, a_chain_that_is_not_cancelled_runs_as_any_other) {
    auto one = [](nothrow_cancel_t, int n) -> coro<int> {
        co_await sleep(0ns);
        co_await sleep(1us);
        if (n < 0) throw std::out_of_range("negative");
        co_return n;
    };
    auto sum = [&](nothrow_cancel_t) -> coro<int> {
        const int a = co_await one(nothrow_cancel, 1);
        const task<int> t = create_task(one(nothrow_cancel, 2));
        const int b = co_await t;
        co_return a + b;
    };
    EXPECT_EQ(run(sum(nothrow_cancel)), 3);
    EXPECT_THROW(run(one(nothrow_cancel, -1)), std::out_of_range);
}

TEST_P(nothrow_cancel_test, a_message_arrives) {
    log seen;
    auto body = [&]() -> coro<> {
        const task<std::string> t = create_task(root(nothrow_cancel, seen));
        co_await sleep(0ns);
        t.cancel("enough");
        try {
            co_await t;
        } catch (const cancelled_error& e) {
            seen.push_back(e.message());
        }
    };
    run(body());
    EXPECT_EQ(seen, (log{"leaf", "middle", "root", "enough"}));
}

TEST_P(nothrow_cancel_test, a_cancelled_task_below_ends_the_chain_above) {
    log seen;
    auto waits = [&](nothrow_cancel_t, task<int> t) -> coro<> {
        const noted_end end(seen, "waits");
        co_await t;
    };
    auto body = [&]() -> coro<> {
        const task<int> inner = create_task(leaf(nothrow_cancel, seen));
        const task<> outer = create_task(waits(nothrow_cancel, inner));
        co_await sleep(0ns);
        outer.cancel();
        co_await until_done(outer);
        EXPECT_TRUE(inner.cancelled());
        EXPECT_TRUE(outer.cancelled());
    };
    run(body());
    EXPECT_EQ(seen, (log{"leaf", "waits"}));
}

TEST_P(nothrow_cancel_test, what_was_granted_already_is_not_lost) {
    log seen;
    lock l;
    queue<int> q;
    auto locks = [&](nothrow_cancel_t, std::string name) -> coro<> {
        const noted_end end(seen, name);
        const lock::guard held = co_await l.scoped();
        seen.push_back(name + " locked");
    };
    auto gets = [&](nothrow_cancel_t) -> coro<int> { co_return co_await q.get(); };
    auto body = [&]() -> coro<> {
        co_await l.acquire();
        const task<> a = create_task(locks(nothrow_cancel, "a"));
        const task<> b = create_task(locks(nothrow_cancel, "b"));
        const task<int> c = create_task(gets(nothrow_cancel));
        const task<int> d = create_task(gets(nothrow_cancel));
        co_await sleep(0ns);
        l.release();  // a is woken, and cancelled before it runs
        a.cancel();
        q.put_nowait(5);
        c.cancel();
        co_await b;
        const int got = co_await d;
        EXPECT_EQ(got, 5);
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(c.cancelled());
        EXPECT_FALSE(l.locked());
    };
    run(body());
    EXPECT_EQ(seen.back(), "b");
}

TEST_P(nothrow_cancel_test, timeouts_and_groups_end_such_coroutines) {
    log seen;
    auto body = [&]() -> coro<> {
        bool late = false;
        try {
            co_await timeout(1ms, middle(nothrow_cancel, seen));
        } catch (const timeout_error&) {
            late = true;
        }
        EXPECT_TRUE(late);
        EXPECT_EQ(seen.size(), 2u);
        auto fails = []() -> coro<> {
            co_await sleep(0ns);
            throw std::runtime_error("one of them");
        };
        auto in_group = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(middle(nothrow_cancel, seen)));
            static_cast<void>(g.create_task(fails()));
            co_await sleep(1h);
        };
        task_group group;
        std::size_t errors = 0;
        try {
            co_await with(group, in_group);
        } catch (const exception_group& e) {
            errors = e.exceptions().size();
        }
        EXPECT_EQ(errors, 1u);
    };
    run(body());
    EXPECT_EQ(seen.size(), 4u);
}

TEST_P(nothrow_cancel_test, a_cancelled_socket_operation_leaves_the_socket_usable) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    auto body = [&]() -> coro<> {
        socket a(ends[0]);
        socket b(ends[1]);
        auto receives = [&](nothrow_cancel_t) -> coro<std::size_t> {
            std::array<std::byte, 8> into{};
            co_return co_await sock_recv(b, into, loop::time() + 1h);
        };
        const task<std::size_t> first = create_task(receives(nothrow_cancel));
        co_await sleep(1ms);
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        const task<std::size_t> second = create_task(receives(nothrow_cancel));
        co_await sleep(0ns);
        const std::array<std::byte, 3> text{};
        co_await sock_sendall(a, text);
        const std::size_t n = co_await second;
        EXPECT_EQ(n, 3u);
    };
    run(body());
}

coro<> deep(nothrow_cancel_t, int depth) {
    if (depth == 0)
        co_await sleep(1h);
    else
        co_await deep(nothrow_cancel, depth - 1);
}

TEST_P(nothrow_cancel_test, a_thousand_tasks_with_deep_chains_end_at_once) {
    auto body = [&]() -> coro<> {
        std::vector<task<>> all;
        for (int i = 0; i < 1000; ++i) all.push_back(create_task(deep(nothrow_cancel, 20)));
        co_await sleep(0ns);
        for (const task<>& t : all) t.cancel();
        for (const task<>& t : all) co_await until_done(t);
        for (const task<>& t : all) EXPECT_TRUE(t.cancelled());
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(nothrow_cancel_test);

}  // namespace
}  // namespace crossover::asyncio
