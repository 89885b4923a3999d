// wait() and as_completed().
#include "runtimes/event_loop/combinators/wait.hpp"

#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class wait_test : public on_each_back_end {};

coro<int> later(int value, int steps) {
    for (int i = 0; i < steps; ++i) co_await sleep(0ns);
    co_return value;
}
coro<int> fails(int steps) {
    for (int i = 0; i < steps; ++i) co_await sleep(0ns);
    throw std::runtime_error("failed");
}
TEST_P(wait_test, conformance_067_wait_throws_for_no_failure_and_gives_done_and_pending) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(1, 2)), create_task(fails(1)), create_task(later(3, 4))};
        const wait_result<task<int>> r = co_await wait(all);
        EXPECT_EQ(r.done, all);
        EXPECT_TRUE(r.pending.empty());
        EXPECT_THROW(r.done[1].result(), std::runtime_error);
    };
    run(body());
}

TEST_P(wait_test, conformance_068_first_completed_gives_all_that_ended_in_the_same_iteration) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(1, 2)), create_task(later(2, 2)),
                                   create_task(later(3, 50))};
        const wait_result<task<int>> r = co_await wait(all, return_when::first_completed);
        EXPECT_EQ(r.done, (std::vector{all[0], all[1]}));
        EXPECT_EQ(r.pending, std::vector{all[2]});
        EXPECT_FALSE(all[2].done());
    };
    run(body());
}

TEST_P(wait_test, first_exception_returns_at_the_first_failure_or_when_all_are_done) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(1, 1)), create_task(fails(3)),
                                   create_task(later(3, 50))};
        const wait_result<task<int>> r = co_await wait(all, return_when::first_exception);
        EXPECT_EQ(r.done.size(), 2u);
        EXPECT_EQ(r.pending.size(), 1u);
        std::vector<task<int>> well{create_task(later(1, 1)), create_task(later(3, 5))};
        const wait_result<task<int>> r2 = co_await wait(well, return_when::first_exception);
        EXPECT_EQ(r2.done.size(), 2u);
    };
    run(body());
}

TEST_P(wait_test, conformance_070_a_timeout_is_no_error_and_cancels_nothing) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(1, 1)), create_task(sleeps(1h, 2))};
        const wait_result<task<int>> r = co_await wait(all, return_when::all_completed, 2ms);
        EXPECT_EQ(r.done, std::vector{all[0]});
        EXPECT_EQ(r.pending, std::vector{all[1]});
        EXPECT_EQ(all[1].cancelling(), 0u);
        EXPECT_EQ(get_running_loop().timers().size(), 1u);
    };
    run(body());
}

TEST_P(wait_test, conformance_071_cancelling_the_waiter_leaves_the_children_alone) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(1, 10)), create_task(later(2, 10))};
        task<wait_result<task<int>>> waiter = create_task(wait(all));
        co_await sleep(0ns);
        EXPECT_NE(all[0].raw().callbacks, nullptr);
        waiter.cancel();
        co_await until_done(waiter);
        EXPECT_TRUE(waiter.cancelled());
        EXPECT_EQ(all[0].raw().callbacks, nullptr);
        const auto got1 = co_await all[0];
        EXPECT_EQ(got1, 1);
        const auto got2 = co_await all[1];
        EXPECT_EQ(got2, 2);
    };
    run(body());
}

template <class T>
concept waitable = requires(std::vector<T> all) {
    wait(std::move(all));
};

TEST_P(wait_test, conformance_072_an_empty_set_is_refused_and_duplicates_collapse) {
    static_assert(!waitable<coro<int>>, "bare coroutines are refused");
    static_assert(waitable<task<int>> && waitable<future<int>> && waitable<any_future>);
    auto body = []() -> coro<> {
        bool refused = false;
        try {
            co_await wait(std::vector<task<int>>());
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
        task<int> t = create_task(later(1, 1));
        std::vector<task<int>> twice{t, t};
        const wait_result<task<int>> r = co_await wait(twice);
        EXPECT_EQ(r.done.size(), 1u);
    };
    run(body());
}

TEST_P(wait_test, conformance_073_as_completed_gives_the_tasks_in_the_order_of_their_end) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(0, 9)), create_task(later(1, 3)),
                                   create_task(later(2, 6))};
        std::vector<task<int>> seen;
        auto order = as_completed(all);
        while (order.has_next()) {
            task<int> t = co_await order.next();
            EXPECT_TRUE(t.done());
            seen.push_back(t);
        }
        EXPECT_EQ(seen, (std::vector{all[1], all[2], all[0]}));
    };
    run(body());
}

TEST_P(wait_test, conformance_073_as_completed_makes_tasks_of_coroutines) {
    auto body = []() -> coro<> {
        std::vector<coro<int>> all;
        all.reserve(3);
        for (int i = 0; i < 3; ++i) all.push_back(later(i, 10 - 3 * i));
        std::vector<int> seen;
        auto order = as_completed(std::move(all));
        while (order.has_next()) {
            task<int> t = co_await order.next();
            seen.push_back(t.result());
        }
        EXPECT_EQ(seen, (std::vector{2, 1, 0}));
    };
    run(body());
}

TEST_P(wait_test, conformance_074_as_completed_times_out_at_each_step_and_the_others_run_on) {
    auto body = []() -> coro<> {
        std::vector<task<int>> all{create_task(later(1, 1)), create_task(sleeps(1h, 2)),
                                   create_task(sleeps(1h, 3))};
        co_await all[0];  // so that it comes before the time is over, however long the machine stands still
        auto order = as_completed(all, 3ms);
        task<int> first = co_await order.next();
        EXPECT_EQ(first.result(), 1);
        int timeouts = 0;
        while (order.has_next()) {
            try {
                static_cast<void>(co_await order.next());
            } catch (const timeout_error&) {
                ++timeouts;
            }
        }
        EXPECT_EQ(timeouts, 2);
        EXPECT_FALSE(all[1].done());
        EXPECT_EQ(all[1].cancelling(), 0u);
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(wait_test);

}  // namespace
}  // namespace crossover::asyncio
