// Timeouts inside one another, inside clean-up, and beside other cancels.
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/outcome_of.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class timeout_nesting_test : public on_each_back_end {};

TEST_P(timeout_nesting_test, after_an_inner_scope_has_timed_out_the_outer_one_still_does) {
    run([]() -> coro<> {
        auto body = [](timeout_scope& outer) -> coro<int> {
            const std::string inner = co_await outcome_of(timeout(0ns, sleeps(1h, 1)));
            EXPECT_EQ(inner, "timeout");
            EXPECT_FALSE(outer.expired());
            EXPECT_EQ(current_task().cancelling(), 0u);
            outer.reschedule(loop::time() + 1ms);
            co_return co_await sleeps(1h, 2);
        };
        const std::string what = co_await outcome_of(timeout(1h, body));
        EXPECT_EQ(what, "timeout");
        EXPECT_EQ(current_task().cancelling(), 0u);
    }());
}

TEST_P(timeout_nesting_test,
       an_outer_deadline_that_is_the_earlier_one_cancels_the_inner_scope_without_expiring_it) {
    run([]() -> coro<> {
        bool inner_expired = true;
        bool inner_cancelled = false;
        auto inside = [&](timeout_scope& inner) -> coro<int> {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
                inner_cancelled = true;
                inner_expired = inner.expired();
                throw;
            }
            co_return 0;
        };
        auto body = [&](timeout_scope&) -> coro<int> { co_return co_await timeout(1h, inside); };
        const std::string what = co_await outcome_of(timeout(1ms, body));
        EXPECT_EQ(what, "timeout");
        EXPECT_TRUE(inner_cancelled);
        EXPECT_FALSE(inner_expired);
        EXPECT_EQ(current_task().cancelling(), 0u);
    }());
}

coro<int> cleans_up_under_a_timeout(bool& clean_up_timed_out) {
    co_await sleeps_until_cancelled();
    const std::string what = co_await outcome_of(timeout(1ms, sleeps(1h, 1)));
    clean_up_timed_out = what == "timeout";
    throw cancelled_error();
}

TEST_P(timeout_nesting_test, clean_up_after_a_timeout_may_have_a_timeout_of_its_own) {
    run([]() -> coro<> {
        bool clean_up_timed_out = false;
        const std::string what =
            co_await outcome_of(timeout(1ms, cleans_up_under_a_timeout(clean_up_timed_out)));
        EXPECT_EQ(what, "timeout");
        EXPECT_TRUE(clean_up_timed_out);
        EXPECT_EQ(current_task().cancelling(), 0u);
    }());
}

TEST_P(timeout_nesting_test,
       a_task_that_swallowed_a_cancel_can_still_time_out_and_be_cancelled_under_a_timeout) {
    run([]() -> coro<> {
        const any_task self = current_task();
        self.cancel();
        co_await sleeps_until_cancelled();
        EXPECT_EQ(self.cancelling(), 1u);
        const std::string timed_out = co_await outcome_of(timeout(0ns, sleeps(1h, 1)));
        EXPECT_EQ(timed_out, "timeout");
        EXPECT_EQ(self.cancelling(), 1u);
        auto cancels_itself = []() -> coro<int> {
            current_task().cancel();
            co_return co_await sleeps(1h, 1);
        };
        const std::string cancelled = co_await outcome_of(timeout(1h, cancels_itself()));
        EXPECT_EQ(cancelled, "cancelled");
        EXPECT_EQ(self.cancelling(), 2u);
        self.uncancel();
        self.uncancel();
    }());
}

TEST_P(timeout_nesting_test,
       a_body_that_never_waits_beats_a_deadline_in_the_past_and_one_that_gives_way_does_not) {
    run([]() -> coro<> {
        auto at_once = []() -> coro<int> { co_return 7; };
        std::string what = co_await outcome_of(timeout(-1s, at_once()));
        EXPECT_EQ(what, "7");
        what = co_await outcome_of(timeout(0ns, sleeps(0ns, 8)));
        EXPECT_EQ(what, "timeout");
        EXPECT_EQ(current_task().cancelling(), 0u);
        co_await steps(3);  // nothing is left that could cancel
    }());
}

TEST_P(timeout_nesting_test, nullopt_and_an_empty_optional_are_no_bound) {
    run([]() -> coro<> {
        const int a = co_await wait_for(sleeps(1ms, 1), std::nullopt);
        const int b = co_await wait_for(create_task(sleeps(1ms, 2)), std::nullopt);
        const int c = co_await timeout(std::nullopt, sleeps(1ms, 3));
        std::optional<std::chrono::milliseconds> bound;
        const int d = co_await wait_for(sleeps(1ms, 4), bound);
        EXPECT_EQ(a + b + c + d, 10);
        bound = 1ms;
        const std::string late = co_await outcome_of(wait_for(sleeps(1h, 5), bound));
        EXPECT_EQ(late, "timeout");
        auto body = [](timeout_scope& scope) -> coro<int> {
            EXPECT_FALSE(scope.when());
            scope.reschedule(loop::time() + 1ms);
            co_return co_await sleeps(1h, 6);
        };
        const std::string moved = co_await outcome_of(timeout(std::nullopt, body));
        EXPECT_EQ(moved, "timeout");
    }());
}

TEST_P(timeout_nesting_test, a_wait_without_a_bound_passes_a_cancel_on) {
    run([]() -> coro<> {
        const task<int> inner = create_task(sleeps(1h, 1));
        const task<int> waiter = create_task(wait_for(inner, std::nullopt));
        co_await steps(2);
        waiter.cancel();
        co_await until_done(waiter);
        EXPECT_TRUE(waiter.cancelled());
        EXPECT_TRUE(inner.cancelled());
    }());
}

// Swallows two cancels, and counts them.
coro<int> holds_out(int& cancels) {
    while (cancels < 2) {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            ++cancels;
        }
    }
    co_return 42;
}

TEST_P(timeout_nesting_test,
       a_wait_for_whose_inner_task_holds_out_passes_each_cancel_on_and_gives_its_value) {
    run([]() -> coro<> {
        int cancels = 0;
        const task<int> inner = create_task(holds_out(cancels));
        const task<int> waiter = create_task(wait_for(inner, 500us));
        // NOLINTNEXTLINE(bugprone-infinite-loop): the inner task counts them
        while (cancels == 0) co_await sleep(100us);
        waiter.cancel();
        co_await until_done(waiter);
        EXPECT_EQ(inner.result(), 42);
        EXPECT_EQ(waiter.result(), 42) << "the value that came in spite of both is respected";
        EXPECT_EQ(waiter.cancelling(), 1u);
    }());
}

TEST_P(timeout_nesting_test, a_timed_out_group_is_a_timeout_and_its_children_are_cancelled) {
    run([]() -> coro<> {
        std::vector<task<int>> children;
        auto body = [&](task_group& g) -> coro<> {
            for (int i = 0; i < 3; ++i) children.push_back(g.create_task(sleeps(1h, i)));
            co_return;
        };
        auto grouped = [&]() -> coro<int> {
            task_group group;
            co_await with(group, body);
            co_return 0;
        };
        const std::string what = co_await outcome_of(timeout(1ms, grouped()));
        EXPECT_EQ(what, "timeout");
        for (const task<int>& t : children) EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(current_task().cancelling(), 0u);
    }());
}

TEST_P(timeout_nesting_test, a_timeout_inside_a_child_is_a_failure_of_the_group_like_any_other) {
    run([]() -> coro<> {
        auto body = [](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(timeout(1ms, sleeps(1h, 1))));
            co_await sleep(1h);
        };
        task_group group;
        std::size_t timeouts = 0;
        try {
            co_await with(group, body);
        } catch (const exception_group& e) {
            for (const std::exception_ptr& p : e.exceptions())
                if (*type_of(p) == typeid(timeout_error)) ++timeouts;
        }
        EXPECT_EQ(timeouts, 1u);
    }());
}

TEST_P(timeout_nesting_test, a_foreign_cancel_in_the_iteration_of_the_expiry_is_not_turned_into_a_timeout) {
    run([]() -> coro<> {
        const task<int> t = create_task(timeout(-1s, sleeps(1h, 1)));
        co_await sleep(0ns);  // its deadline fires in the next iteration
        get_running_loop().call_soon([&] { t.cancel(); });
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(t.cancelling(), 1u) << "the scope takes its own request back only";
    }());
}

CROSSOVER_ON_EACH_BACK_END(timeout_nesting_test);

}  // namespace
}  // namespace crossover::asyncio
