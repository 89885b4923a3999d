// timeout(), timeout_at() and wait_for().
#include "runtimes/event_loop/combinators/timeout.hpp"

#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/outcome_of.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class timeout_test : public on_each_back_end {};

// Ignores a cancellation for some iterations, then ends as told.
coro<int> stubborn(int steps, std::string end, log& seen) {
    try {
        co_await sleep(1h);
    } catch (const cancelled_error&) {
        seen.push_back("asked");
    }
    for (int i = 0; i < steps; ++i) co_await sleep(0ns);
    seen.push_back("ended");
    if (end == "value") co_return 5;
    if (end == "cancelled") throw cancelled_error();
    throw std::runtime_error(end);
}

TEST_P(timeout_test, conformance_076_wait_for_gives_the_value_in_time_or_cancels_and_waits) {
    log seen;
    auto body = [&]() -> coro<> {
        const auto got1 = co_await wait_for(sleeps(1ms, 3), 1h);
        EXPECT_EQ(got1, 3);
        EXPECT_EQ(get_running_loop().timers().size(), 0u);
        const auto got2 = co_await outcome_of(wait_for(stubborn(5, "cancelled", seen), 1ms));
        EXPECT_EQ(got2, "timeout");
        EXPECT_EQ(seen, (log{"asked", "ended"}));
        task<int> t = create_task(stubborn(5, "cancelled", seen));
        const auto got3 = co_await outcome_of(wait_for(t, 1ms));
        EXPECT_EQ(got3, "timeout");
        EXPECT_TRUE(t.cancelled());
        future<int> f = get_running_loop().create_future<int>();
        const auto got4 = co_await outcome_of(wait_for(f, 1ms));
        EXPECT_EQ(got4, "timeout");
        EXPECT_TRUE(f.cancelled());
        EXPECT_EQ(current_task().cancelling(), 0u);
    };
    run(body());
}

TEST_P(timeout_test, conformance_077_no_time_at_all) {
    bool started = false;
    auto starts = [&]() -> coro<int> {
        started = true;
        co_return 1;
    };
    auto body = [&]() -> coro<> {
        for (auto time : {0ns, -1ns}) {
            future<int> done = get_running_loop().create_future<int>();
            done.set_result(4);
            const auto got5 = co_await wait_for(done, time);
            EXPECT_EQ(got5, 4);
            const auto got6 = co_await outcome_of(wait_for(starts(), time));
            EXPECT_EQ(got6, "timeout");
            EXPECT_FALSE(started);
            task<int> t = create_task(sleeps(1h, 1));
            co_await sleep(0ns);
            const auto got7 = co_await outcome_of(wait_for(t, time));
            EXPECT_EQ(got7, "timeout");
            EXPECT_TRUE(t.cancelled());
        }
    };
    run(body());
}

TEST_P(timeout_test, conformance_077_who_waits_for_a_cancelled_task_to_end_can_be_cancelled_itself) {
    run([]() -> coro<> {
        log seen;
        const task<int> inner = create_task(stubborn(10, "value", seen));
        co_await sleep(0ns);
        const task<int> outer = create_task(wait_for(inner, 0ns));
        co_await sleep(0ns);
        co_await sleep(0ns);
        EXPECT_EQ(seen, log{"asked"});
        outer.cancel();
        co_await until_done(outer);
        EXPECT_TRUE(outer.cancelled());
        EXPECT_FALSE(inner.done()) << "it is not waited for any more";
        EXPECT_EQ(inner.cancelling(), 1u) << "nor cancelled again";
        const int value = co_await inner;
        EXPECT_EQ(value, 5);
    }());
}

TEST_P(timeout_test, conformance_078_a_value_returned_in_spite_of_the_cancel_comes_out) {
    log seen;
    auto body = [&]() -> coro<> {
        const auto got8 = co_await wait_for(stubborn(2, "value", seen), 1ms);
        EXPECT_EQ(got8, 5);
        const auto got9 = co_await wait_for(create_task(stubborn(2, "value", seen)), 1ms);
        EXPECT_EQ(got9, 5);
        EXPECT_EQ(current_task().cancelling(), 0u);
    };
    run(body());
}

TEST_P(timeout_test, conformance_079_another_exception_comes_out) {
    log seen;
    auto body = [&]() -> coro<> {
        const auto got10 = co_await outcome_of(wait_for(stubborn(2, "broken", seen), 1ms));
        EXPECT_EQ(got10, "broken");
        const auto got11 = co_await outcome_of(wait_for(create_task(stubborn(2, "broken", seen)), 1ms));
        EXPECT_EQ(got11, "broken");
    };
    run(body());
}

TEST_P(timeout_test, conformance_080_cancelling_wait_for_cancels_the_inner_one_and_waits_for_it) {
    log seen;
    auto body = [&]() -> coro<> {
        task<int> inner = create_task(stubborn(3, "cancelled", seen));
        task<int> outer = create_task(wait_for(inner, 1h));
        co_await sleep(0ns);
        co_await sleep(0ns);
        outer.cancel();
        co_await until_done(outer);
        EXPECT_TRUE(inner.cancelled());
        EXPECT_TRUE(outer.cancelled());
        EXPECT_EQ(seen, (log{"asked", "ended"}));
    };
    run(body());
}

TEST_P(timeout_test, conformance_082_a_coroutine_under_wait_for_runs_in_the_same_task) {
    auto asks = [](any_task outer) -> coro<int> {
        EXPECT_TRUE(current_task() == outer);
        EXPECT_EQ(all_tasks().size(), 1u);
        co_return 1;
    };
    auto body = [&]() -> coro<> {
        const auto got12 = co_await wait_for(asks(current_task()), 1h);
        EXPECT_EQ(got12, 1);
    };
    run(body());
}

TEST_P(timeout_test,
       conformance_083_expiry_cancels_the_body_and_becomes_a_timeout_at_the_end_of_the_scope_only) {
    auto body = [&]() -> coro<> {
        std::string inside;
        auto inner = [&](timeout_scope& scope) -> coro<int> {
            EXPECT_FALSE(scope.expired());
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
                inside = "cancelled";
                EXPECT_TRUE(scope.expired());
                throw;
            }
            co_return 1;
        };
        const auto got13 = co_await outcome_of(timeout(1ms, inner));
        EXPECT_EQ(got13, "timeout");
        EXPECT_EQ(inside, "cancelled");
        const auto got14 = co_await timeout(1h, sleeps(1ms, 6));
        EXPECT_EQ(got14, 6);
        EXPECT_EQ(get_running_loop().timers().size(), 0u);
    };
    run(body());
}

TEST_P(timeout_test, conformance_084_of_nested_timeouts_with_one_deadline_the_outermost_raises) {
    auto body = [&]() -> coro<> {
        const auto deadline = loop::time() + 2ms;
        std::string inside;
        auto inner = [&](timeout_scope&) -> coro<int> {
            inside = co_await outcome_of(timeout_at(std::optional(deadline), sleeps(1h, 1)));
            if (inside == "cancelled") throw cancelled_error();
            co_return 0;
        };
        const auto got15 = co_await outcome_of(timeout_at(std::optional(deadline), inner));
        EXPECT_EQ(got15, "timeout");
        EXPECT_EQ(inside, "cancelled");
        EXPECT_EQ(current_task().cancelling(), 0u);
    };
    run(body());
}

TEST_P(timeout_test, conformance_085_a_foreign_cancel_and_other_exceptions_pass) {
    auto fails = []() -> coro<int> {
        co_await sleep(0ns);
        throw std::runtime_error("own");
    };
    auto body = [&]() -> coro<> {
        const auto got16 = co_await outcome_of(timeout(1h, fails()));
        EXPECT_EQ(got16, "own");
        task<int> t = create_task(timeout(1h, sleeps(1h, 1)));
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        const auto got17 = co_await outcome_of(timeout(1ms, sleeps(1h, 1)));
        EXPECT_EQ(got17, "timeout");
        EXPECT_EQ(current_task().cancelling(), 0u) << "not left cancelling";
        co_await sleep(0ns);
    };
    run(body());
}

TEST_P(timeout_test, conformance_087_a_deadline_can_be_moved_or_disabled) {
    auto body = [&]() -> coro<> {
        auto later = [](timeout_scope& scope) -> coro<int> {
            EXPECT_TRUE(scope.when());
            scope.reschedule(std::nullopt);
            EXPECT_FALSE(scope.when());
            co_return co_await sleep(5ms, 1);
        };
        const auto got18 = co_await timeout(1ms, later);
        EXPECT_EQ(got18, 1);
        auto sooner = [](timeout_scope& scope) -> coro<int> {
            scope.reschedule(loop::time() + 1ms);
            co_return co_await sleep(1h, 1);
        };
        const auto got19 = co_await outcome_of(timeout(1h, sooner));
        EXPECT_EQ(got19, "timeout");
        const auto got20 = co_await timeout_at(std::nullopt, sleeps(1ms, 2));
        EXPECT_EQ(got20, 2);
    };
    run(body());
}

TEST_P(timeout_test, conformance_087_a_past_deadline_fires_in_the_next_iteration) {
    auto body = [&]() -> coro<> {
        auto yields = []() -> coro<int> {
            co_await sleep(0ns);
            co_return 1;
        };
        const auto got21 = co_await outcome_of(timeout(-1s, yields()));
        EXPECT_EQ(got21, "timeout");
        auto immediate = []() -> coro<int> { co_return 2; };
        const auto got22 = co_await timeout(-1s, immediate());
        EXPECT_EQ(got22, 2) << "no await, no cancellation";
        co_await sleep(0ns);
        EXPECT_EQ(current_task().cancelling(), 0u);
    };
    run(body());
}

TEST_P(timeout_test, conformance_087_rescheduling_is_refused_outside_the_scope_and_while_expiring) {
    auto body = [&]() -> coro<> {
        timeout_scope early(loop::time());
        EXPECT_THROW(early.reschedule(std::nullopt), std::logic_error);
        early.enter();
        EXPECT_THROW(early.enter(), std::logic_error);
        early.reschedule(std::nullopt);
        early.leave();
        EXPECT_THROW(early.reschedule(std::nullopt), std::logic_error);
        auto expiring = [](timeout_scope& scope) -> coro<int> {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
                EXPECT_THROW(scope.reschedule(std::nullopt), std::logic_error);
                throw;
            }
            co_return 1;
        };
        const auto got23 = co_await outcome_of(timeout(1ms, expiring));
        EXPECT_EQ(got23, "timeout");
    };
    run(body());
}

TEST_P(timeout_test, conformance_088_a_group_that_fails_while_it_is_timed_out_comes_out_as_the_group) {
    auto fails_in_clean_up = []() -> coro<> {
        bool cancelled = false;
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            cancelled = true;
        }
        if (cancelled) throw std::runtime_error("clean-up");
    };
    auto body = [&]() -> coro<> {
        auto grouped = [&](timeout_scope&) -> coro<> {
            task_group group;
            auto spawns = [&](task_group& g) -> coro<> {
                static_cast<void>(g.create_task(fails_in_clean_up()));
                co_await sleep(1h);
            };
            co_await with(group, spawns);
        };
        std::string what;
        try {
            co_await timeout(1ms, grouped);
        } catch (const exception_group& e) {
            what = e.what();
        }
        EXPECT_EQ(what, "unhandled errors in a task_group (1 sub-exception)");
        EXPECT_EQ(current_task().cancelling(), 0u);
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(timeout_test);

}  // namespace
}  // namespace crossover::asyncio
