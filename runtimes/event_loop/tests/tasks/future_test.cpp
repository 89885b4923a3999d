// Futures: states, callbacks, awaiting, and exceptions that nobody looks at.
#include "runtimes/event_loop/tasks/future.hpp"

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class future_test : public on_each_back_end {
  protected:
    void SetUp() override {
        l = std::make_unique<loop>(options());
        l->set_exception_handler([this](loop&, const error_report& r) { reports.push_back(r.message); });
    }
    void run_briefly() {
        l->stop();
        l->run_forever();
    }
    log reports;
    std::unique_ptr<loop> l;
};

TEST_P(future_test, conformance_023_a_pending_future_has_no_result) {
    future<int> f = l->create_future<int>();
    EXPECT_FALSE(f.done());
    EXPECT_FALSE(f.cancelled());
    EXPECT_THROW(f.result(), invalid_state_error);
    EXPECT_THROW(static_cast<void>(f.exception()), invalid_state_error);
}

TEST_P(future_test, conformance_023_a_result_can_be_set_once) {
    future<std::string> f = l->create_future<std::string>();
    f.set_result("a value that is longer than eight bytes");
    EXPECT_TRUE(f.done());
    EXPECT_EQ(f.result(), "a value that is longer than eight bytes");
    EXPECT_EQ(f.exception(), nullptr);
    EXPECT_THROW(f.set_result("b"), invalid_state_error);
    EXPECT_THROW(f.set_exception(std::runtime_error("b")), invalid_state_error);

    future<int> failed = l->create_future<int>();
    failed.set_exception(std::out_of_range("x"));
    EXPECT_THROW(failed.result(), std::out_of_range);
    EXPECT_NE(failed.exception(), nullptr);
    EXPECT_THROW(failed.set_result(1), invalid_state_error);

    future<> cancelled = l->create_future<void>();
    cancelled.cancel();
    EXPECT_THROW(cancelled.set_result(), invalid_state_error);
}

TEST_P(future_test, conformance_024_cancel_ends_a_pending_future_and_leaves_a_done_one) {
    future<int> f = l->create_future<int>();
    EXPECT_TRUE(f.cancel("enough"));
    EXPECT_TRUE(f.cancelled());
    EXPECT_TRUE(f.done());
    try {
        f.result();
        ADD_FAILURE();
    } catch (const cancelled_error& e) {
        EXPECT_EQ(e.message(), "enough");
    }
    EXPECT_THROW(static_cast<void>(f.exception()), cancelled_error);
    EXPECT_FALSE(f.cancel());

    future<int> done = l->create_future<int>();
    done.set_result(3);
    EXPECT_FALSE(done.cancel());
    EXPECT_EQ(done.result(), 3);
}

TEST_P(future_test, conformance_025_callbacks_are_queued_in_order_and_never_run_inline) {
    future<int> f = l->create_future<int>();
    log seen;
    f.add_done_callback(
        [&](const future<int>& done) { seen.push_back("a" + std::to_string(done.result())); });
    f.add_done_callback([&](const future<int>&) { seen.push_back("b"); });
    l->call_soon([&] { seen.push_back("earlier"); });
    f.set_result(5);
    EXPECT_TRUE(seen.empty());
    run_briefly();
    EXPECT_EQ(seen, (log{"earlier", "a5", "b"}));

    future<int> failed = l->create_future<int>();
    failed.add_done_callback(
        [&](const future<int>& done) { seen.push_back(done.exception() ? "failed" : "?"); });
    failed.set_exception(std::runtime_error("x"));
    EXPECT_EQ(seen.size(), 3u);
    run_briefly();
    EXPECT_EQ(seen.back(), "failed");
}

TEST_P(future_test, conformance_026_a_callback_of_a_done_future_is_queued_at_once) {
    future<> f = l->create_future<void>();
    f.set_result();
    bool called = false;
    f.add_done_callback([&](const future<>&) { called = true; });
    EXPECT_FALSE(called);
    run_briefly();
    EXPECT_TRUE(called);
}

TEST_P(future_test, conformance_027_removing_a_callback_removes_all_its_copies) {
    future<> f = l->create_future<void>();
    int calls = 0, others = 0;
    const auto once = f.add_done_callback([&](const future<>&) { ++calls; });
    f.add_done_callback([&](const future<>&) { ++others; });
    f.add_done_callback(once);
    f.add_done_callback(once);
    EXPECT_EQ(f.remove_done_callback(once), 3u);
    EXPECT_EQ(f.remove_done_callback(once), 0u);
    f.set_result();
    run_briefly();
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(others, 1);
}

TEST_P(future_test, conformance_027_a_callback_may_change_the_list) {
    future<> f = l->create_future<void>();
    int calls = 0;
    f.add_done_callback([&](const future<>& done) {
        ++calls;
        const auto another = done.add_done_callback([&](const future<>&) { ++calls; });
        done.remove_done_callback(another);
    });
    f.set_result();
    run_briefly();
    run_briefly();
    EXPECT_EQ(calls, 2) << "what is done has queued its callbacks; there is nothing to remove any more";
}

TEST_P(future_test, conformance_028_awaiting_what_is_done_does_not_yield) {
    auto body = [&]() -> coro<> {
        future<int> f = l->create_future<int>();
        f.set_result(1);
        task<int> t = create_task([]() -> coro<int> { co_return 2; }());
        co_await sleep(0ns);
        bool between = false;
        l->call_soon([&] { between = true; });
        const auto got1 = co_await f;
        EXPECT_EQ(got1, 1);
        const auto got2 = co_await t;
        EXPECT_EQ(got2, 2);
        EXPECT_FALSE(between);
    };
    l->run_until_complete(body());
}

TEST_P(future_test, conformance_030_an_exception_nobody_looked_at_is_reported_once) {
    {
        future<> f = l->create_future<void>();
        f.set_exception(std::runtime_error("lost"));
        const future<> copy = f;
        EXPECT_TRUE(reports.empty());
    }
    EXPECT_EQ(reports, log{"Future exception was never retrieved"});
    {
        auto failing = []() -> coro<> {
            throw std::runtime_error("lost");
            co_return;
        };
        static_cast<void>(l->create_task(failing()));
        run_briefly();
    }
    EXPECT_EQ(reports, (log{"Future exception was never retrieved", "Task exception was never retrieved"}));
}

TEST_P(future_test, conformance_030_looking_or_cancelling_silences_the_report) {
    for (int way = 0; way < 4; ++way) {
        future<int> f = l->create_future<int>();
        if (way == 0) {
            f.set_exception(std::runtime_error("seen"));
            EXPECT_NE(f.exception(), nullptr);
        } else if (way == 1) {
            f.set_exception(std::runtime_error("seen"));
            EXPECT_THROW(f.result(), std::runtime_error);
        } else if (way == 2) {
            f.cancel();
        } else {
            f.set_result(1);
        }
    }
    EXPECT_TRUE(reports.empty());
}

TEST_P(future_test, a_future_that_outlives_its_loop_reports_to_stderr) {
    testing::internal::CaptureStderr();
    {
        future<> f = l->create_future<void>();
        f.set_exception(std::runtime_error("late"));
        l.reset();
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "Future exception was never retrieved: late\n");
    EXPECT_TRUE(reports.empty());
}

TEST_P(future_test, a_pending_future_that_is_dropped_frees_its_callbacks) {
    auto held = std::make_shared<int>(0);
    {
        future<> f = l->create_future<void>();
        f.add_done_callback([held](const future<>&) {});
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST_P(future_test, a_result_may_be_move_only_or_a_reference) {
    auto body = [&]() -> coro<> {
        int there = 1;
        auto reference = [&]() -> coro<int&> { co_return there; };
        int& same = co_await reference();
        same = 2;
        int& again = co_await create_task(reference());
        EXPECT_EQ(&again, &there);
        auto owner = []() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
        const std::unique_ptr<int> a = co_await owner();
        const std::unique_ptr<int> b = co_await create_task(owner());
        EXPECT_EQ(*a + *b + there, 16);
    };
    l->run_until_complete(body());
    auto owner = []() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
    EXPECT_EQ(*l->run_until_complete(owner()), 7);
}

CROSSOVER_ON_EACH_BACK_END(future_test);

}  // namespace
}  // namespace crossover::asyncio
