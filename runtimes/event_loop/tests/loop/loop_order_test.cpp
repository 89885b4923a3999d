// What runs before what: callbacks, timers, wake-ups, and the stop between them.
#include <functional>
#include <memory>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class loop_order_test : public on_each_back_end {
  protected:
    void SetUp() override {
        l.emplace(options());
        l->set_exception_handler([this](loop&, const error_report& r) { reports.push_back(r.message); });
    }
    void run_briefly() {
        l->stop();
        l->run_forever();
    }
    std::function<void()> notes(std::string what) {
        return [this, what] { seen.push_back(what); };
    }

    std::optional<loop> l;
    log seen;
    log reports;
};

TEST_P(loop_order_test, of_negative_delays_the_larger_fires_first_and_all_before_later_ones) {
    l->call_later(1h, notes("later"));
    l->call_later(-1s, notes("-1"));
    l->call_later(-2s, notes("-2"));
    l->call_later(0s, notes("0"));
    l->call_later(0s, [&] { l->stop(); });
    l->run_forever();
    EXPECT_EQ(seen, (log{"-2", "-1", "0"}));
}

TEST_P(loop_order_test, a_callback_may_cancel_one_that_is_due_in_the_same_iteration) {
    handle second;
    l->call_soon([&] {
        seen.push_back("first");
        second.cancel();
    });
    second = l->call_soon(notes("second"));
    timer_handle timer = l->call_later(-1s, notes("timer"));
    l->call_soon([&] { timer.cancel(); });
    run_briefly();
    EXPECT_EQ(seen, log{"first"});
    EXPECT_TRUE(second.cancelled());
    EXPECT_TRUE(timer.cancelled());
    second.cancel();
    timer.cancel();
}

TEST_P(loop_order_test, what_is_queued_during_the_last_iteration_waits_for_the_next_run) {
    l->call_soon([&] {
        l->stop();
        l->call_soon(notes("queued after stop"));
        seen.push_back("stopping");
    });
    l->call_soon(notes("same iteration"));
    l->run_forever();
    EXPECT_EQ(seen, (log{"stopping", "same iteration"}));
    run_briefly();
    EXPECT_EQ(seen.back(), "queued after stop");
}

TEST_P(loop_order_test, stopping_twice_is_stopping_once) {
    l->call_soon([&] {
        l->stop();
        l->stop();
    });
    l->run_forever();
    l->call_later(1ms, [&] {
        seen.push_back("second run");
        l->stop();
    });
    l->run_forever();
    EXPECT_EQ(seen, log{"second run"});
}

TEST_P(loop_order_test, awaiters_and_callbacks_of_one_future_are_told_in_the_order_in_which_they_asked) {
    future<int> f(*l);
    auto awaits = [&](std::string name) -> coro<> {
        const int n = co_await f;
        seen.push_back(name + std::to_string(n));
    };
    const task<> a = l->create_task(awaits("a"));
    run_briefly();
    f.add_done_callback([&](const future<int>&) { seen.push_back("callback"); });
    const task<> b = l->create_task(awaits("b"));
    run_briefly();
    f.set_result(1);
    l->call_soon(notes("after"));
    EXPECT_TRUE(seen.empty());
    run_briefly();
    EXPECT_EQ(seen, (log{"a1", "callback", "b1", "after"}));
}

TEST_P(loop_order_test, a_task_that_ends_wakes_its_awaiter_in_the_next_iteration) {
    auto inner = [&]() -> coro<> {
        seen.push_back("inner");
        co_return;
    };
    auto outer = [&]() -> coro<> {
        const task<> t = create_task(inner());
        l->call_soon(notes("between"));
        co_await t;
        seen.push_back("outer");
    };
    const task<> t = l->create_task(outer());
    run_briefly();
    EXPECT_TRUE(seen.empty());
    run_briefly();
    EXPECT_EQ(seen, (log{"inner", "between"}));
    run_briefly();
    EXPECT_EQ(seen.back(), "outer");
}

TEST_P(loop_order_test, waiters_of_an_event_run_in_order_after_what_was_ready_before) {
    auto body = [&]() -> coro<> {
        event e;
        auto waits = [&](std::string name) -> coro<> {
            co_await e.wait();
            seen.push_back(name);
        };
        const task<> a = create_task(waits("a"));
        const task<> b = create_task(waits("b"));
        co_await sleep(0ns);
        l->call_soon(notes("ready before"));
        e.set();
        e.clear();
        e.set();
        const task<> c = create_task(waits("c"));
        co_await c;
        EXPECT_TRUE(a.done());
        EXPECT_TRUE(b.done());
    };
    l->run_until_complete(body());
    EXPECT_EQ(seen, (log{"ready before", "a", "b", "c"}));
}

TEST_P(loop_order_test, running_until_a_done_future_is_complete_takes_an_iteration_and_leaves_it_done) {
    future<int> f(*l);
    f.set_result(5);
    l->call_soon(notes("callback"));
    EXPECT_EQ(l->run_until_complete(f), 5);
    EXPECT_EQ(seen, log{"callback"});
    EXPECT_EQ(l->run_until_complete(f), 5);
    EXPECT_FALSE(l->is_running());
}

TEST_P(loop_order_test, a_future_that_a_failed_run_left_pending_does_not_stop_the_next_run) {
    future<int> f(*l);
    l->call_soon([] { throw loop_exit(); });
    EXPECT_THROW(l->run_until_complete(f), loop_exit);
    EXPECT_FALSE(l->is_running());
    l->call_soon([&] { f.set_result(1); });
    l->call_later(1ms, [&] {
        seen.push_back("still running");
        l->stop();
    });
    l->run_forever();
    EXPECT_EQ(seen, log{"still running"});
}

TEST_P(loop_order_test, a_throwing_done_callback_is_reported_and_the_others_are_called) {
    future<int> f(*l);
    f.add_done_callback([](const future<int>&) { throw std::runtime_error("callback"); });
    f.add_done_callback([&](const future<int>&) { seen.push_back("second"); });
    f.set_result(1);
    run_briefly();
    EXPECT_EQ(reports, log{"Exception in callback"});
    EXPECT_EQ(seen, log{"second"});
}

TEST_P(loop_order_test, a_cancel_of_a_done_future_or_task_silences_its_exception) {
    auto fails = []() -> coro<> {
        throw std::runtime_error("unseen");
        co_return;
    };
    {
        const task<> t = l->create_task(fails());
        run_briefly();
        EXPECT_TRUE(t.done());
        EXPECT_FALSE(t.cancel());
        future<int> f(*l);
        f.set_exception(std::runtime_error("unseen"));
        EXPECT_FALSE(f.cancel());
    }
    EXPECT_EQ(reports, log{});
}

TEST_P(loop_order_test,
       an_exception_that_was_on_its_way_to_a_task_counts_as_seen_when_a_cancel_overtakes_it) {
    {
        future<int> f(*l);
        auto awaits = [](future<int> from) -> coro<> { static_cast<void>(co_await from); };
        const task<> t = l->create_task(awaits(f));
        run_briefly();
        f.set_exception(std::runtime_error("overtaken"));
        EXPECT_TRUE(t.cancel());
        run_briefly();
        EXPECT_TRUE(t.cancelled());
    }
    EXPECT_EQ(reports, log{});
}

TEST_P(loop_order_test, cancelling_a_task_and_what_it_awaits_in_either_order_cancels_both) {
    for (const bool task_first : {false, true}) {
        future<int> f(*l);
        auto awaits = [](future<int> from) -> coro<> { static_cast<void>(co_await from); };
        const task<> t = l->create_task(awaits(f));
        run_briefly();
        if (task_first) t.cancel();
        f.cancel();
        if (!task_first) t.cancel();
        EXPECT_FALSE(t.done());
        EXPECT_THROW(l->run_until_complete(t), cancelled_error);
        EXPECT_TRUE(t.cancelled());
        EXPECT_TRUE(f.cancelled());
    }
}

TEST_P(loop_order_test, a_coroutine_that_a_running_loop_refuses_to_run_is_destroyed_and_never_runs) {
    auto notes_it = [&]() -> coro<> {
        seen.push_back("ran");
        co_return;
    };
    loop other(options());
    l->call_soon([&] {
        EXPECT_THROW(l->run_until_complete(notes_it()), std::logic_error);
        EXPECT_THROW(other.run_until_complete(notes_it()), std::logic_error);
        EXPECT_THROW(other.run_forever(), std::logic_error);
    });
    run_briefly();
    run_briefly();
    EXPECT_TRUE(all_tasks(*l).empty());
    EXPECT_TRUE(all_tasks(other).empty());
    EXPECT_EQ(seen, log{});
}

TEST_P(loop_order_test, what_ends_in_the_last_iteration_of_a_run_is_told_when_the_loop_closes) {
    auto held = std::make_shared<int>(0);
    auto gives = [](std::shared_ptr<int> value, int iterations) -> coro<std::shared_ptr<int>> {
        co_await steps(iterations);
        co_return value;
    };
    for (int n = 0; n < 8; ++n) {
        auto main = [&](int iterations) -> coro<> {
            const auto gathered = gather(gives(held, iterations), gives(held, iterations));
            const auto shielded = shield(gives(held, iterations));
            co_await steps(2);
        };
        run(main(n));
        EXPECT_EQ(held.use_count(), 1) << n;
    }
}

TEST_P(loop_order_test, closing_with_callbacks_timers_and_tasks_left_frees_them_all) {
    auto held = std::make_shared<int>(0);
    l->call_soon([held] {});
    l->call_later(1h, [held] {});
    auto sleeps_long = [](std::shared_ptr<int>) -> coro<> { co_await sleep(1h); };
    static_cast<void>(l->create_task(sleeps_long(held)));
    run_briefly();
    l->call_soon([held] {});
    l->close();
    EXPECT_TRUE(l->is_closed());
    l.reset();
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(reports, log{"Task was destroyed but it is pending"});
}

CROSSOVER_ON_EACH_BACK_END(loop_order_test);

}  // namespace
}  // namespace crossover::asyncio
