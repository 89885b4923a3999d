// gather() and shield() when a cancel meets the ends of their children.
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/outcome_of.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class gather_cancellation_test : public on_each_back_end {};

coro<int> awaits(future<int> f) { co_return co_await f; }
coro<int> first_of(future<std::tuple<int, int>> f) {
    const std::tuple<int, int> both = co_await f;
    co_return std::get<0>(both);
}

TEST_P(gather_cancellation_test, a_gather_whose_children_are_all_done_refuses_to_be_cancelled) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        future<int> f(l);
        auto both = gather(awaits(f), awaits(f));
        co_await sleep(0ns);  // both children wait
        bool refused = false;
        f.add_done_callback([&](const future<int>&) { refused = !both.cancel(); });
        f.set_result(42);
        const auto results = co_await both;
        EXPECT_TRUE(refused) << "the children ended in the same iteration, before the callback";
        EXPECT_EQ(results, (std::tuple<int, int>(42, 42)));
        EXPECT_FALSE(both.cancelled());
    }());
}

TEST_P(gather_cancellation_test, cancelling_a_gather_of_shields_leaves_what_they_protect) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        future<int> a(l);
        future<int> b(l);
        const future<int> shield_a = shield(a);
        const future<int> shield_b = shield(b);
        auto both = gather(shield_a, shield_b);
        EXPECT_TRUE(both.cancel());
        EXPECT_FALSE(both.done()) << "it ends when its children have told it";
        co_await sleep(0ns);
        EXPECT_TRUE(both.done());
        EXPECT_FALSE(both.cancelled());
        EXPECT_TRUE(is_cancelled_error(both.exception()));
        EXPECT_TRUE(shield_a.cancelled());
        EXPECT_TRUE(shield_b.cancelled());
        EXPECT_FALSE(a.done());
        EXPECT_FALSE(b.done());
        a.set_result(1);
        b.set_result(2);
    }());
}

TEST_P(gather_cancellation_test,
       the_message_of_the_cancel_that_ended_it_comes_out_also_after_another_cancel) {
    run([]() -> coro<> {
        const task<> child = create_task(sleep(1h));
        std::string message;
        auto waits = [&]() -> coro<> {
            const auto all = gather(return_exceptions, child);
            try {
                static_cast<void>(co_await all);
            } catch (const cancelled_error& e) {
                message = e.message();
            }
        };
        const task<> waiter = create_task(waits());
        co_await sleep(0ns);
        child.add_done_callback([&](const task<>&) { waiter.cancel("second"); });
        waiter.cancel("first");
        co_await waiter;
        EXPECT_EQ(message, "first");
    }());
}

TEST_P(gather_cancellation_test, a_shielded_gather_survives_and_gives_its_results) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        future<int> a(l);
        future<int> b(l);
        auto both = gather(a, b);
        auto waiter = create_task(first_of(shield(both)));
        co_await sleep(0ns);
        waiter.cancel();
        co_await until_done(waiter);
        EXPECT_TRUE(waiter.cancelled());
        EXPECT_FALSE(both.done());
        a.set_result(1);
        b.set_result(2);
        const auto results = co_await both;
        EXPECT_EQ(results, (std::tuple<int, int>(1, 2)));
    }());
}

TEST_P(gather_cancellation_test,
       a_task_is_cancelled_in_a_gather_that_takes_exceptions_as_values_and_the_message_arrives) {
    run([]() -> coro<> {
        auto for_ever = []() -> coro<> {
            for (;;) {
                auto one = gather(return_exceptions, sleep(1h));
                co_await one;
            }
        };
        const task<> t = create_task(for_ever());
        co_await sleep(0ns);
        co_await sleep(0ns);
        t.cancel("my message");
        std::string message = "not cancelled";
        try {
            co_await t;
        } catch (const cancelled_error& e) {
            message = e.message();
        }
        EXPECT_EQ(message, "my message");
    }());
}

TEST_P(gather_cancellation_test,
       children_that_go_on_after_the_first_failure_can_still_be_cancelled_one_by_one) {
    run([]() -> coro<> {
        auto fails = []() -> coro<int> {
            throw std::runtime_error("first");
            co_return 0;
        };
        const task<int> slow = create_task(sleeps(1h, 1));
        auto both = gather(create_task(fails()), slow);
        const std::string what = co_await outcome_of(first_of(both));
        EXPECT_EQ(what, "first");
        EXPECT_FALSE(slow.done());
        EXPECT_FALSE(both.cancel()) << "it is done";
        slow.cancel();
        co_await until_done(slow);
        EXPECT_TRUE(slow.cancelled());
    }());
}

TEST_P(gather_cancellation_test, a_failure_after_the_outer_one_was_cancelled_is_not_reported_again) {
    log reports;
    run([](log& reported) -> coro<> {
        get_running_loop().set_exception_handler(
            [&](loop&, const error_report& r) { reported.push_back(r.message); });
        auto fails_when_cancelled = []() -> coro<int> {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
            }
            throw std::runtime_error("while it cleans up");
        };
        auto waits = [&]() -> coro<int> {
            auto both = gather(fails_when_cancelled(), fails_when_cancelled());
            co_return co_await first_of(both);
        };
        const task<int> t = create_task(waits());
        co_await sleep(0ns);
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_FALSE(t.cancelled()) << "the failure came out instead";
        EXPECT_NE(t.exception(), nullptr);
    }(reports));
    EXPECT_EQ(reports, log{});
}

TEST_P(gather_cancellation_test, what_was_done_before_counts_and_a_failed_one_decides_at_once) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        future<int> done(l);
        done.set_result(1);
        future<int> failed(l);
        failed.set_exception(std::runtime_error("long ago"));
        future<int> open(l);
        auto all = gather(done, failed, open);
        EXPECT_TRUE(all.done());
        EXPECT_NE(all.exception(), nullptr);
        auto settled_all = gather(return_exceptions, done, failed);
        EXPECT_TRUE(settled_all.done());
        EXPECT_EQ(std::get<0>(settled_all.result()).value(), 1);
        EXPECT_THROW(std::get<1>(settled_all.result()).value(), std::runtime_error);
        open.cancel();
        co_return;
    }());
}

TEST_P(gather_cancellation_test, a_shield_of_what_is_done_is_that_very_thing) {
    run([]() -> coro<> {
        future<int> f(get_running_loop());
        f.cancel("kept");
        const future<int> same = shield(f);
        EXPECT_EQ(same, f);
        std::string message;
        try {
            static_cast<void>(co_await same);
        } catch (const cancelled_error& e) {
            message = e.message();
        }
        EXPECT_EQ(message, "kept");
    }());
}

TEST_P(gather_cancellation_test, an_inner_one_that_fails_after_its_shield_was_cancelled_is_reported) {
    log reports;
    run([](log& reported) -> coro<> {
        get_running_loop().set_exception_handler(
            [&](loop&, const error_report& r) { reported.push_back(r.message); });
        event gate;
        auto fails_late = [&]() -> coro<int> {
            co_await gate.wait();
            throw std::runtime_error("nobody waits any more");
        };
        {
            const future<int> outer = shield(fails_late());
            outer.cancel();
        }
        for (int i = 0; i < 3; ++i) co_await sleep(0ns);
        EXPECT_TRUE(reported.empty());
        gate.set();
        for (int i = 0; i < 3; ++i) co_await sleep(0ns);
    }(reports));
    EXPECT_EQ(reports, log{"Task exception was never retrieved"});
}

CROSSOVER_ON_EACH_BACK_END(gather_cancellation_test);

}  // namespace
}  // namespace crossover::asyncio
