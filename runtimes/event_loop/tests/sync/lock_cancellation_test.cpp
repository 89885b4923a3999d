// Locks and conditions when waiters are cancelled between their wake and their step.
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/sync/condition.hpp"
#include "runtimes/event_loop/tasks/nothrow_cancel.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class lock_cancellation_test : public on_each_back_end {};

TEST_P(lock_cancellation_test,
       cancelling_a_waiter_and_releasing_in_one_callback_gives_the_lock_to_one_other) {
    run([]() -> coro<> {
        lock l;
        int owners = 0;
        auto takes = [&]() -> coro<> {
            co_await l.acquire();
            ++owners;
        };
        co_await l.acquire();
        const task<> first = create_task(takes());
        const task<> second = create_task(takes());
        const task<> third = create_task(takes());
        co_await sleep(0ns);
        get_running_loop().call_soon([&] {
            first.cancel();
            l.release();
        });
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        EXPECT_EQ(owners, 1);
        EXPECT_TRUE(second.done());
        EXPECT_FALSE(third.done());
        third.cancel();
        co_await until_done(third);
        EXPECT_TRUE(third.cancelled());
        EXPECT_TRUE(l.locked());
    }());
}

TEST_P(lock_cancellation_test,
       a_waiter_cancelled_before_the_release_does_not_keep_the_next_from_being_woken) {
    run([]() -> coro<> {
        lock l;
        co_await l.acquire();
        const task<> first = create_task(l.acquire());
        co_await sleep(0ns);
        const task<> second = create_task(l.acquire());  // has not begun to wait yet
        first.cancel();
        l.release();
        co_await sleep(0ns);
        EXPECT_TRUE(l.locked());
        EXPECT_TRUE(first.cancelled());
        EXPECT_TRUE(second.done());
    }());
}

TEST_P(lock_cancellation_test, a_cancelled_waiter_keeps_its_place_until_its_task_runs) {
    run([]() -> coro<> {
        lock l;
        co_await l.acquire();
        const task<> first = create_task(l.acquire());
        const task<> second = create_task(l.acquire());
        co_await sleep(0ns);
        first.cancel();
        l.release();
        co_await sleep(0ns);  // now it lets the second one be woken
        EXPECT_TRUE(first.cancelled());
        EXPECT_FALSE(l.locked());
        const task<> third = create_task(l.acquire());
        co_await sleep(0ns);
        EXPECT_TRUE(second.done());
        EXPECT_TRUE(l.locked());
        EXPECT_FALSE(third.done()) << "a newcomer does not overtake";
        l.release();
        co_await third;
    }());
}

TEST_P(lock_cancellation_test, a_lock_that_only_cancelled_waiters_wait_for_is_taken_at_once) {
    run([]() -> coro<> {
        lock l;
        co_await l.acquire();
        const task<> first = create_task(l.acquire());
        const task<> second = create_task(l.acquire());
        co_await sleep(0ns);
        first.cancel();
        second.cancel();
        l.release();
        co_await l.acquire();
        EXPECT_FALSE(first.done()) << "nobody else has run meanwhile";
        co_await sleep(0ns);
        EXPECT_TRUE(first.cancelled());
        EXPECT_TRUE(second.cancelled());
        EXPECT_TRUE(l.locked());
    }());
}

TEST_P(lock_cancellation_test, a_waiter_that_is_destroyed_when_cancelled_lets_the_next_one_have_the_lock) {
    run([]() -> coro<> {
        lock l;
        co_await l.acquire();
        auto waits = [&](nothrow_cancel_t) -> coro<> { co_await l.acquire(); };
        const task<> first = create_task(waits(nothrow_cancel));
        const task<> second = create_task(waits(nothrow_cancel));
        co_await sleep(0ns);
        first.cancel();
        l.release();
        co_await second;
        EXPECT_TRUE(first.cancelled());
        EXPECT_TRUE(l.locked());
    }());
}

TEST_P(lock_cancellation_test,
       a_condition_whose_waiter_is_cancelled_after_its_notice_ends_with_the_lock_released) {
    run([]() -> coro<> {
        condition c;
        bool waited = false;
        auto waits = [&]() -> coro<> {
            const lock::guard held = co_await c.scoped();
            waited = true;
            co_await c.wait();
        };
        const task<> t = create_task(waits());
        co_await sleep(0ns);
        co_await c.acquire();
        c.notify();
        co_await sleep(0ns);  // it asks for the lock
        t.cancel();
        co_await sleep(0ns);  // is cancelled there, and asks again
        EXPECT_FALSE(t.done());
        c.release();
        co_await sleep(0ns);
        EXPECT_TRUE(t.cancelled());
        EXPECT_TRUE(waited);
        EXPECT_FALSE(c.locked());
    }());
}

TEST_P(lock_cancellation_test, a_notified_waiter_that_is_cancelled_while_it_asks_for_the_lock_ends_with_it) {
    run([]() -> coro<> {
        condition c;
        co_await c.acquire();
        const task<> t = create_task(c.wait());
        co_await sleep(0ns);
        EXPECT_FALSE(c.locked());
        co_await c.acquire();
        c.notify();
        get_running_loop().call_soon([&] { t.cancel(); });
        get_running_loop().call_soon([&] { c.release(); });
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_TRUE(c.locked());
    }());
}

TEST_P(lock_cancellation_test, a_wait_that_is_cancelled_again_and_again_still_takes_the_lock_back) {
    run([]() -> coro<> {
        condition c;
        bool had_lock = false;
        auto waits = [&]() -> coro<> {
            co_await c.acquire();
            try {
                co_await c.wait();
            } catch (const cancelled_error& e) {
                had_lock = c.locked();
                EXPECT_EQ(std::string(e.message()), "third") << "the latest comes out";
            }
            c.release();
        };
        const task<> t = create_task(waits());
        co_await sleep(0ns);
        co_await c.acquire();
        for (const char* message : {"first", "second", "third"}) {
            t.cancel(message);
            co_await sleep(0ns);
            EXPECT_FALSE(t.done());
        }
        c.release();
        co_await t;
        EXPECT_TRUE(had_lock);
        EXPECT_EQ(t.cancelling(), 3u);
        EXPECT_FALSE(c.locked());
    }());
}

TEST_P(lock_cancellation_test, a_timeout_of_a_wait_leaves_the_condition_locked_by_its_waiter) {
    run([]() -> coro<> {
        condition c;
        const lock::guard held = co_await c.scoped();
        bool timed_out = false;
        try {
            co_await wait_for(c.wait(), 1ms);
        } catch (const timeout_error&) {
            timed_out = true;
        }
        EXPECT_TRUE(timed_out);
        EXPECT_TRUE(c.locked());
    }());
}

TEST_P(lock_cancellation_test, a_predicate_that_throws_leaves_the_lock_with_its_waiter) {
    run([]() -> coro<> {
        condition c;
        const lock::guard held = co_await c.scoped();
        bool came_out = false;
        auto throws = []() -> bool { throw std::runtime_error("predicate"); };
        try {
            static_cast<void>(co_await c.wait_for(throws));
        } catch (const std::runtime_error&) {
            came_out = true;
        }
        EXPECT_TRUE(came_out);
        EXPECT_TRUE(c.locked());
    }());
}

CROSSOVER_ON_EACH_BACK_END(lock_cancellation_test);

}  // namespace
}  // namespace crossover::asyncio
