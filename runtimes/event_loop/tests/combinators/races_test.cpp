// Several things at once: cancellations, timeouts and ends that meet in one iteration, as CPython resolves
// them.
#include <thread>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"
#include "runtimes/event_loop/tasks/with.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class races_test : public on_each_back_end {};

coro<> sleep_long() { co_await sleep(1h); }

TEST_P(races_test, a_task_whose_awaited_task_swallows_the_cancel_gets_its_value) {
    auto inner = []() -> coro<int> {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
        }
        co_return 5;
    };
    auto outer = [](task<int> t) -> coro<int> { co_return co_await t; };
    auto body = [&]() -> coro<> {
        const task<int> t = create_task(inner());
        const task<int> o = create_task(outer(t));
        co_await sleep(0ns);
        o.cancel();
        const int got = co_await o;
        EXPECT_EQ(got, 5);
        EXPECT_FALSE(o.cancelled());
        EXPECT_EQ(o.cancelling(), 1u);
    };
    run(body());
}

coro<> fails(std::chrono::milliseconds after, std::string text) {
    co_await sleep(after);
    throw std::runtime_error(text);
}

coro<> fails_while_ending() {
    std::exception_ptr cancelled;
    try {
        co_await sleep(1h);
    } catch (const cancelled_error&) {
        cancelled = std::current_exception();
    }
    co_await sleep(0ns);
    throw std::out_of_range("while ending");
}

TEST_P(races_test, a_group_inside_a_failing_group_brings_its_own_failures) {
    log seen;
    auto inner_body = [](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(fails_while_ending()));
        co_await sleep(1h);
    };
    auto nested = [&]() -> coro<> {
        task_group inner;
        co_await with(inner, inner_body);
    };
    auto outer_body = [&](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(nested()));
        static_cast<void>(g.create_task(fails(1ms, "outer")));
        co_await sleep(1h);
    };
    auto body = [&]() -> coro<> {
        task_group outer;
        try {
            co_await with(outer, outer_body);
        } catch (const exception_group& e) {
            for (const std::exception_ptr& one : e.exceptions()) {
                try {
                    std::rethrow_exception(one);
                } catch (const exception_group& below) {
                    seen.push_back("group of " + std::to_string(below.exceptions().size()));
                } catch (const std::exception& other) {
                    seen.push_back(other.what());
                }
            }
        }
        EXPECT_EQ(current_task().cancelling(), 0u);
    };
    run(body());
    EXPECT_EQ(seen, (log{"outer", "group of 1"}));
}

TEST_P(races_test, a_failure_that_meets_the_cancel_of_its_gather_comes_out) {
    auto fails_now = []() -> coro<> {
        throw std::runtime_error("at once");
        co_return;
    };
    auto waits = [](future<std::tuple<std::monostate, std::monostate>> g) -> coro<> { co_await g; };
    auto body = [&]() -> coro<> {
        auto g = gather(fails_now(), sleep_long());
        const task<> t = create_task(waits(g));
        co_await sleep(0ns);
        EXPECT_TRUE(t.cancel());
        co_await until_done(t);
        EXPECT_FALSE(t.cancelled());
        EXPECT_THROW(t.result(), std::runtime_error);
    };
    run(body());
}

TEST_P(races_test, a_result_that_comes_with_the_deadline_wins_and_a_cancel_wins_over_a_result) {
    auto waits = [](future<int> f, std::chrono::milliseconds time) -> coro<int> {
        co_return co_await wait_for(f, time);
    };
    auto body = [&]() -> coro<> {
        const future<int> late(get_running_loop());
        const task<int> a = create_task(waits(late, 100ms));
        get_running_loop().call_soon([&] {       // in the iteration in which the wait begins
            std::this_thread::sleep_for(110ms);  // the deadline passes while the loop does not look
            late.set_result(3);
        });
        const int first = co_await a;
        EXPECT_EQ(first, 3);

        const future<int> met(get_running_loop());
        const task<int> b = create_task(waits(met, 3600s));
        co_await sleep(0ns);
        met.set_result(4);
        b.cancel();
        co_await until_done(b);
        EXPECT_TRUE(b.cancelled());
    };
    run(body());
}

TEST_P(races_test, a_cancelled_put_gives_its_place_to_the_next) {
    auto put = [](queue<int>& q, int n) -> coro<int> {
        co_await q.put(n);
        co_return n;
    };
    auto body = [&]() -> coro<> {
        queue<int> q(1);
        const task<int> a = create_task(put(q, 1));
        const task<int> b = create_task(put(q, 2));
        const task<int> c = create_task(put(q, 3));
        co_await sleep(0ns);
        EXPECT_EQ(q.get_nowait(), 1);  // wakes b
        b.cancel();
        const int got = co_await c;
        EXPECT_EQ(got, 3);
        EXPECT_TRUE(b.cancelled());
        EXPECT_EQ(q.size(), 1u);
        co_await a;
    };
    run(body());
}

TEST_P(races_test, a_permit_whose_receiver_is_cancelled_goes_to_the_next_in_line) {
    std::vector<int> order;
    semaphore s(0);
    auto acquires = [&](int n) -> coro<> {
        co_await s.acquire();
        order.push_back(n);
    };
    auto body = [&]() -> coro<> {
        std::vector<task<>> all;
        for (int i = 0; i < 4; ++i) all.push_back(create_task(acquires(i)));
        co_await sleep(0ns);
        s.release();
        all[0].cancel();
        s.release();
        for (int i = 0; i < 3; ++i) co_await sleep(0ns);
        EXPECT_EQ(order, (std::vector{1, 2}));
        EXPECT_TRUE(s.locked());
        s.release();
        co_await all[3];
        EXPECT_EQ(order, (std::vector{1, 2, 3}));
    };
    run(body());
}

TEST_P(races_test, of_two_cancels_before_delivery_one_arrives_and_all_are_counted) {
    log seen;
    auto twice = [&]() -> coro<std::string> {
        for (int i = 0; i < 2; ++i) {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error& e) {
                seen.push_back(e.message());
            }
        }
        co_return "ended";
    };
    auto body = [&]() -> coro<> {
        const task<std::string> t = create_task(twice());
        co_await sleep(0ns);
        t.cancel("one");
        t.cancel("two");
        co_await sleep(0ns);
        t.cancel("three");
        const std::string got = co_await t;
        EXPECT_EQ(got, "ended");
        EXPECT_EQ(t.cancelling(), 3u);
    };
    run(body());
    EXPECT_EQ(seen, (log{"one", "three"}));
}

TEST_P(races_test, an_outer_timeout_that_fires_after_an_inner_one_is_its_own) {
    log seen;
    auto body = [&]() -> coro<> {
        auto inner = [&](timeout_scope& outer) -> coro<> {
            bool late = false;
            try {
                co_await timeout(1ms, sleep_long());
            } catch (const timeout_error&) {
                late = true;
            }
            seen.push_back(late ? "inner" : "none");
            outer.reschedule(loop::time() + 1ms);
            co_await sleep(1h);
        };
        bool late = false;
        try {
            co_await timeout(1h, inner);
        } catch (const timeout_error&) {
            late = true;
        }
        EXPECT_TRUE(late);
        EXPECT_EQ(current_task().cancelling(), 0u);

        const task<> a = create_task(sleep_long());
        const task<> b = create_task(sleep_long());
        auto both = [&]() -> coro<> { co_await gather(a, b); };
        late = false;
        try {
            co_await timeout(1ms, both());
        } catch (const timeout_error&) {
            late = true;
        }
        EXPECT_TRUE(late);
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(b.cancelled());
    };
    run(body());
    EXPECT_EQ(seen, log{"inner"});
}

TEST_P(races_test, a_task_made_while_run_cancels_the_leftovers_is_reported_and_destroyed) {
    log seen;
    std::vector<std::string> reports;
    auto late = [&]() -> coro<> {
        seen.push_back("late begins");
        co_await sleep(1h);
        seen.push_back("late goes on");
    };
    auto makes_one = [&]() -> coro<> {
        std::exception_ptr cancelled;
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            cancelled = std::current_exception();
        }
        seen.push_back("clean-up");
        static_cast<void>(create_task(late(), "late"));
        std::rethrow_exception(cancelled);
    };
    auto body = [&]() -> coro<> {
        get_running_loop().set_exception_handler(
            [&](loop&, const error_report& r) { reports.push_back(r.message + ": " + r.task); });
        static_cast<void>(create_task(makes_one()));
        co_await sleep(0ns);
    };
    run(body());
    EXPECT_EQ(seen.front(), "clean-up");
    EXPECT_NE(seen.back(), "late goes on");
    EXPECT_EQ(reports, std::vector<std::string>{"Task was destroyed but it is pending: late"});
}

CROSSOVER_ON_EACH_BACK_END(races_test);

}  // namespace
}  // namespace crossover::asyncio
