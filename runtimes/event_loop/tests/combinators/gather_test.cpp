// gather(): order, failures, cancellation.
#include "runtimes/event_loop/combinators/gather.hpp"

#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class gather_test : public on_each_back_end {
  protected:
    // Runs, and keeps what the exception handler is told.
    template <class T>
    T run_watched(coro<T> main) {
        loop l(options());
        l.set_exception_handler([this](loop&, const error_report& r) { reports.push_back(r.message); });
        return l.run_until_complete(std::move(main));
    }
    log reports;
};

coro<int> later(int value, int steps) {
    for (int i = 0; i < steps; ++i) co_await sleep(0ns);
    co_return value;
}
coro<int> fails(int steps) {
    for (int i = 0; i < steps; ++i) co_await sleep(0ns);
    throw std::runtime_error("after " + std::to_string(steps));
}
coro<> sleeps() { co_await sleep(1h); }

TEST_P(gather_test, conformance_059_results_come_in_the_order_of_the_arguments) {
    auto body = []() -> coro<> {
        auto text = []() -> coro<std::string> { co_return "text"; };
        auto nothing = []() -> coro<> { co_return; };
        const auto [a, b, c, d] = co_await gather(later(1, 5), text(), nothing(), later(2, 1));
        EXPECT_EQ(a, 1);
        EXPECT_EQ(b, "text");
        EXPECT_EQ(c, std::monostate());
        EXPECT_EQ(d, 2);
        std::vector<coro<int>> many;
        many.reserve(10);
        for (int i = 0; i < 10; ++i) many.push_back(later(i, 10 - i));
        const std::vector<int> results = co_await gather(std::move(many));
        EXPECT_EQ(results, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    };
    run(body());
}

TEST_P(gather_test, conformance_059_duplicates_run_once_and_are_reported_in_each_place) {
    auto body = []() -> coro<> {
        int runs = 0;
        auto counts = [&]() -> coro<int> {
            co_await sleep(0ns);
            co_return ++runs;
        };
        task<int> t = create_task(counts());
        std::vector<task<int>> same{t, create_task(later(5, 3)), t, t};
        const std::vector<int> results = co_await gather(same);
        EXPECT_EQ(results, (std::vector{1, 5, 1, 1}));
    };
    run(body());
}

TEST_P(gather_test, conformance_059_an_empty_gather_is_done_at_once) {
    auto body = []() -> coro<> {
        auto none = gather();
        EXPECT_TRUE(none.done());
        auto empty = gather(std::vector<coro<int>>());
        EXPECT_TRUE(empty.done());
        const std::vector<int> results = co_await empty;
        EXPECT_TRUE(results.empty());
    };
    run(body());
}

TEST_P(gather_test, conformance_060_the_first_exception_comes_at_once_and_siblings_run_on) {
    auto body = []() -> coro<> {
        task<int> sibling = create_task(later(3, 50));
        std::string what;
        try {
            co_await gather(sibling, fails(2), later(1, 1));
        } catch (const std::runtime_error& e) {
            what = e.what();
        }
        EXPECT_EQ(what, "after 2");
        EXPECT_FALSE(sibling.done());
        const auto got1 = co_await sibling;
        EXPECT_EQ(got1, 3);
    };
    run(body());
}

TEST_P(gather_test, conformance_061_later_exceptions_count_as_looked_at) {
    auto body = []() -> coro<> {
        bool failed = false;
        try {
            co_await gather(fails(1), fails(5), fails(1));
        } catch (const std::runtime_error&) {
            failed = true;
        }
        EXPECT_TRUE(failed);
        for (int i = 0; i < 10; ++i) co_await sleep(0ns);
    };
    run_watched(body());
    EXPECT_TRUE(reports.empty());
}

TEST_P(gather_test, conformance_062_return_exceptions_gives_failures_and_cancellations_as_values) {
    auto body = []() -> coro<> {
        task<> cancelled = create_task(sleeps());
        get_running_loop().call_soon([=] { cancelled.cancel(); });
        const auto [a, b, c] = co_await gather(return_exceptions, later(1, 1), fails(3), cancelled);
        EXPECT_EQ(a.value(), 1);
        EXPECT_FALSE(b.has_value());
        EXPECT_THROW(b.value(), std::runtime_error);
        EXPECT_TRUE(is_cancelled_error(c.exception()));
        std::vector<coro<int>> many;
        many.push_back(later(1, 2));
        many.push_back(fails(1));
        const std::vector<settled<int>> results = co_await gather(return_exceptions, std::move(many));
        EXPECT_TRUE(results[0]);
        EXPECT_FALSE(results[1]);
    };
    run_watched(body());
    EXPECT_TRUE(reports.empty());
}

TEST_P(gather_test, conformance_063_a_cancelled_child_fails_the_gather_which_is_not_cancelled_itself) {
    auto body = []() -> coro<> {
        task<> a = create_task(sleeps());
        task<> b = create_task(sleeps());
        auto both = gather(a, b);
        co_await sleep(0ns);
        a.cancel();
        bool cancelled = false;
        try {
            co_await both;
        } catch (const cancelled_error&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        EXPECT_TRUE(both.done());
        EXPECT_FALSE(both.cancelled());
        EXPECT_FALSE(b.done());
    };
    run(body());
}

TEST_P(gather_test, conformance_064_cancelling_the_gather_cancels_all_children_and_waits_for_them) {
    log seen;
    auto slow_end = [&](std::string name) -> coro<> {
        co_await sleeps_until_cancelled();
        co_await steps(5);
        seen.push_back(name);
        throw cancelled_error();
    };
    auto gathers = [&]() -> coro<> {
        try {
            co_await gather(return_exceptions, slow_end("a"), slow_end("b"));
        } catch (const cancelled_error&) {
            seen.push_back("gather");
            throw;
        }
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(gathers());
        co_await sleep(0ns);
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
    };
    run(body());
    EXPECT_EQ(seen, (log{"a", "b", "gather"}));
}

TEST_P(gather_test, conformance_066_futures_of_two_loops_cannot_be_mixed) {
    loop other(options());
    future<int> foreign = other.create_future<int>();
    auto body = [&]() -> coro<> {
        future<int> own = get_running_loop().create_future<int>();
        EXPECT_THROW(static_cast<void>(gather(own, foreign)), std::invalid_argument);
        co_return;
    };
    run(body());
}

TEST_P(gather_test, a_gather_that_nobody_holds_lets_its_futures_go) {
    auto body = []() -> coro<> {
        auto held = std::make_shared<int>(0);
        {
            future<std::shared_ptr<int>> f = get_running_loop().create_future<std::shared_ptr<int>>();
            f.add_done_callback([held](const auto&) {});
            static_cast<void>(gather(f, later(1, 1)));
        }
        EXPECT_EQ(held.use_count(), 1);
        for (int i = 0; i < 5; ++i) co_await sleep(0ns);
    };
    run(body());
}

TEST_P(gather_test, a_gather_that_has_failed_lets_futures_go_that_nobody_can_complete) {
    auto body = []() -> coro<> {
        auto held = std::make_shared<int>(0);
        future<int> fails = get_running_loop().create_future<int>();
        future<std::tuple<int, int, int>> all;
        {
            future<int> never = get_running_loop().create_future<int>();
            future<int> never_either = get_running_loop().create_future<int>();
            never.add_done_callback([held](const auto&) {});
            never_either.add_done_callback([held](const auto&) {});
            all = gather(never, fails, never_either);
        }
        EXPECT_EQ(held.use_count(), 3);
        fails.set_exception(std::runtime_error("failed"));
        EXPECT_THROW(co_await all, std::runtime_error);
        EXPECT_EQ(held.use_count(), 1);
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(gather_test);

}  // namespace
}  // namespace crossover::asyncio
