// Tests that the results of sleep(), queue.get() and similar functions work wherever a coroutine does.
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class awaiter_test : public on_each_back_end {};

TEST_P(awaiter_test, wait_for_bounds_the_wait_for_an_event_a_queue_or_a_lock) {
    run([]() -> coro<> {
        event never;
        queue<int> empty;
        lock held;
        co_await held.acquire();
        int late = 0;
        try {
            co_await wait_for(never.wait(), 1ms);
        } catch (const timeout_error&) {
            ++late;
        }
        try {
            co_await wait_for(empty.get(), 1ms);
        } catch (const timeout_error&) {
            ++late;
        }
        try {
            co_await timeout(1ms, held.acquire());
        } catch (const timeout_error&) {
            ++late;
        }
        EXPECT_EQ(late, 3);
        empty.put_nowait(7);
        const int got = co_await wait_for(empty.get(), 1h);
        EXPECT_EQ(got, 7) << "the waiter that gave up has left the queue";
        held.release();
        co_await wait_for(held.acquire(), 1h);
        EXPECT_TRUE(held.locked());
    }());
}

TEST_P(awaiter_test, gather_and_create_task_take_them) {
    run([]() -> coro<> {
        queue<std::string> q(1);
        const task<> putting = create_task(q.put("a value that is moved along with its awaiter"));
        const auto got = co_await gather(q.get(), sleep(1ms), sleep(0ns, 5));
        EXPECT_EQ(std::get<0>(got), "a value that is moved along with its awaiter");
        EXPECT_EQ(std::get<2>(got), 5);
        co_await putting;
        const task<> sleeping = create_task(sleep(1h));
        co_await sleep(0ns);
        sleeping.cancel();
        co_await until_done(sleeping);
        EXPECT_TRUE(sleeping.cancelled());
        co_await shield(sleep(1ms));
    }());
}

TEST_P(awaiter_test, a_task_group_waits_for_them) {
    run([]() -> coro<> {
        event there;
        task_group group;
        const auto body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(there.wait()));
            static_cast<void>(g.create_task(sleep(1ms)));
            there.set();
            co_return;
        };
        co_await with(group, body);
        EXPECT_EQ(all_tasks().size(), 1u);
    }());
}

CROSSOVER_ON_EACH_BACK_END(awaiter_test);

}  // namespace
}  // namespace crossover::asyncio
