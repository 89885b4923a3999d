// Cancelling tasks: where it appears, what it passes through, and who may undo it.
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class cancellation_test : public on_each_back_end {};

coro<> sleeps() { co_await sleep(1h); }

TEST_P(cancellation_test, conformance_045_cancel_appears_at_current_await) {
    log seen;
    auto victim = [&]() -> coro<> {
        seen.push_back("begun");
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            seen.push_back("cancelled");
            throw;
        }
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(victim());
        co_await sleep(0ns);
        EXPECT_TRUE(t.cancel());
        EXPECT_FALSE(t.cancelled()) << "not before its next step";
        EXPECT_EQ(seen, log{"begun"});
        co_await sleep(0ns);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(seen, (log{"begun", "cancelled"}));
        EXPECT_THROW(t.result(), cancelled_error);
    };
    run(body());
}

TEST_P(cancellation_test, conformance_045_cancel_appears_at_a_sleep_of_zero) {
    int rounds = 0;
    auto victim = [&]() -> coro<> {
        for (;;) {
            ++rounds;
            co_await sleep(0ns);
        }
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(victim());
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
    };
    run(body());
    EXPECT_EQ(rounds, 1);
}

TEST_P(cancellation_test, conformance_046_a_task_cancelled_before_its_start_never_runs) {
    bool ran = false;
    auto victim = [](bool& flag, std::shared_ptr<int>) -> coro<> {
        flag = true;
        co_return;
    };
    auto body = [&]() -> coro<> {
        auto held = std::make_shared<int>(0);
        task<> t = create_task(victim(ran, held));
        EXPECT_TRUE(t.cancel("why"));
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(held.use_count(), 1);
        try {
            t.result();
        } catch (const cancelled_error& e) {
            EXPECT_EQ(e.message(), "why");
        }
    };
    run(body());
    EXPECT_FALSE(ran);
}

TEST_P(cancellation_test, conformance_047_cancel_is_forwarded_to_what_the_task_awaits) {
    auto outer_of_future = [](future<> f) -> coro<> { co_await f; };
    auto outer_of_task = [](task<> t) -> coro<> { co_await t; };
    auto body = [&]() -> coro<> {
        future<> f = get_running_loop().create_future<void>();
        task<> a = create_task(outer_of_future(f));
        task<> inner = create_task(sleeps());
        task<> b = create_task(outer_of_task(inner));
        co_await sleep(0ns);
        co_await sleep(0ns);
        a.cancel();
        b.cancel();
        EXPECT_TRUE(f.cancelled()) << "at once";
        co_await until_done(a);
        co_await until_done(b);
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(inner.cancelled());
        EXPECT_TRUE(b.cancelled());
    };
    run(body());
}

TEST_P(cancellation_test, conformance_048_cancelling_the_awaited_future_cancels_the_task) {
    auto waits = [](future<> f) -> coro<> { co_await f; };
    auto body = [&]() -> coro<> {
        future<> f = get_running_loop().create_future<void>();
        task<> t = create_task(waits(f));
        co_await sleep(0ns);
        f.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(t.cancelling(), 0u);
    };
    run(body());
}

TEST_P(cancellation_test, conformance_049_a_body_may_catch_it_and_return) {
    auto catches = []() -> coro<int> {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            co_return 42;
        }
        co_return 0;
    };
    auto body = [&]() -> coro<> {
        task<int> t = create_task(catches());
        co_await sleep(0ns);
        t.cancel();
        const auto got1 = co_await t;
        EXPECT_EQ(got1, 42);
        EXPECT_FALSE(t.cancelled());
    };
    run(body());
}

TEST_P(cancellation_test, conformance_050_a_body_may_swallow_it_and_wait_on) {
    auto swallows = [](future<int> next) -> coro<int> {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
        }
        co_return co_await next;
    };
    auto body = [&]() -> coro<> {
        future<int> next = get_running_loop().create_future<int>();
        task<int> t = create_task(swallows(next));
        co_await sleep(0ns);
        t.cancel();
        co_await sleep(0ns);
        co_await sleep(0ns);
        EXPECT_FALSE(t.done());
        next.set_result(7);
        const auto got2 = co_await t;
        EXPECT_EQ(got2, 7);
    };
    run(body());
}

TEST_P(cancellation_test, conformance_054_requests_are_counted_and_can_be_taken_back) {
    auto body = [&]() -> coro<> {
        task<> t = create_task(sleeps());
        EXPECT_EQ(t.cancelling(), 0u);
        t.cancel();
        EXPECT_EQ(t.cancelling(), 1u);
        t.cancel();
        EXPECT_EQ(t.cancelling(), 2u);
        EXPECT_EQ(t.uncancel(), 1u);
        EXPECT_EQ(t.uncancel(), 0u);
        EXPECT_EQ(t.uncancel(), 0u);
        co_await sleep(0ns);
        EXPECT_FALSE(t.done()) << "the cancellation was not delivered yet: it is dropped";
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(t.cancelling(), 1u);
    };
    run(body());
}

TEST_P(cancellation_test, conformance_055_a_done_task_cannot_be_cancelled) {
    auto nothing = []() -> coro<int> { co_return 1; };
    auto body = [&]() -> coro<> {
        task<int> t = create_task(nothing());
        co_await t;
        EXPECT_FALSE(t.cancel());
        EXPECT_EQ(t.result(), 1);
        EXPECT_EQ(t.cancelling(), 0u);
    };
    run(body());
}

TEST_P(cancellation_test, conformance_056_the_message_arrives_in_every_awaiter_and_the_first_one_wins) {
    log messages;
    auto awaits = [&](task<> t) -> coro<> {
        try {
            co_await t;
        } catch (const cancelled_error& e) {
            messages.push_back(e.message());
        }
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(sleeps());
        task<> a = create_task(awaits(t));
        task<> b = create_task(awaits(t));
        co_await sleep(0ns);
        t.cancel("first");
        t.cancel("second");
        co_await a;
        co_await b;
    };
    run(body());
    EXPECT_EQ(messages, (log{"first", "first"}));
}

TEST_P(cancellation_test, conformance_056_a_message_is_not_kept_for_the_next_cancel) {
    log messages;
    auto victim = [&]() -> coro<> {
        for (int i = 0; i < 2; ++i) {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error& e) {
                messages.push_back(e.message());
            }
        }
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(victim());
        co_await sleep(0ns);
        t.cancel("first");
        co_await sleep(0ns);
        t.cancel();
        co_await t;
    };
    run(body());
    EXPECT_EQ(messages, (log{"first", ""}));
}

TEST_P(cancellation_test, conformance_057_another_exception_replaces_the_cancellation) {
    auto victim = []() -> coro<> {
        bool cancelled = false;
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            cancelled = true;
        }
        if (cancelled) throw std::runtime_error("while unwinding");
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(victim());
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_FALSE(t.cancelled());
        EXPECT_THROW(t.result(), std::runtime_error);
    };
    run(body());
}

TEST_P(cancellation_test,
       a_cancel_that_comes_when_the_result_is_there_already_wins_and_the_result_is_kept_by_the_task) {
    auto awaits = [](future<int> f) -> coro<int> { co_return co_await f; };
    auto body = [&]() -> coro<> {
        future<int> f = get_running_loop().create_future<int>();
        task<int> t = create_task(awaits(f));
        co_await sleep(0ns);
        f.set_result(1);
        EXPECT_TRUE(t.cancel());
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(f.result(), 1);
    };
    run(body());
}

TEST_P(cancellation_test, an_interrupted_chain_of_coroutines_is_unwound_from_the_inside) {
    log seen;
    struct leaves {
        leaves(log& l, std::string n) : out(l), name(std::move(n)) {}
        ~leaves() { out.push_back(name); }
        log& out;
        std::string name;
    };
    auto inner = [&]() -> coro<> {
        const leaves l(seen, "inner");
        co_await sleep(1h);
    };
    auto outer = [&]() -> coro<> {
        const leaves l(seen, "outer");
        co_await inner();
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(outer());
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
    };
    run(body());
    EXPECT_EQ(seen, (log{"inner", "outer"}));
}

CROSSOVER_ON_EACH_BACK_END(cancellation_test);

}  // namespace
}  // namespace crossover::asyncio
