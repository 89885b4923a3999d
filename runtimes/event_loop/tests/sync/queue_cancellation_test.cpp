// Queues when getters and putters are cancelled or the queue is shut down: no value is lost or made twice.
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class queue_cancellation_test : public on_each_back_end {};

TEST_P(queue_cancellation_test, of_many_getters_those_that_are_cancelled_lose_no_value) {
    run([]() -> coro<> {
        queue<int> q;
        const task<int> first = create_task(q.get());
        const task<int> second = create_task(q.get());
        const task<int> third = create_task(q.get());
        co_await sleep(0ns);
        q.put_nowait(1);
        q.put_nowait(2);
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        const int a = co_await second;
        const int b = co_await third;
        EXPECT_EQ(a + b, 3);
        EXPECT_TRUE(q.empty());
    }());
}

TEST_P(queue_cancellation_test, a_getter_that_times_out_as_the_value_comes_leaves_it_or_has_it) {
    run([]() -> coro<> {
        queue<int> q;
        for (int i = 0; i < 50; ++i) {
            const task<int> t = create_task(wait_for(q.get(), 100us));
            co_await sleep(90us);
            q.put_nowait(i);
            co_await until_done(t);
            const bool got = !t.cancelled() && !t.exception();
            EXPECT_EQ(got, q.empty());
            if (!got) {
                EXPECT_EQ(q.get_nowait(), i);
            }
        }
    }());
}

TEST_P(queue_cancellation_test, a_putter_cancelled_when_its_place_is_free_already_puts_nothing) {
    run([]() -> coro<> {
        queue<int> q(1);
        q.put_nowait(1);
        const task<> writer = create_task(q.put(2));
        co_await sleep(0ns);
        EXPECT_EQ(q.get_nowait(), 1);
        writer.cancel();
        co_await until_done(writer);
        EXPECT_TRUE(writer.cancelled());
        EXPECT_TRUE(q.empty());
        co_await q.put(2);
        EXPECT_EQ(q.get_nowait(), 2);
    }());
}

TEST_P(queue_cancellation_test, a_cancelled_putter_in_the_middle_is_passed_over) {
    run([]() -> coro<> {
        queue<std::string> q(1);
        const task<> a = create_task(q.put("a"));
        const task<> b = create_task(q.put("b"));
        const task<> x = create_task(q.put("x"));
        const task<> c = create_task(q.put("c"));
        co_await sleep(0ns);
        EXPECT_TRUE(a.done());
        EXPECT_FALSE(b.done());
        x.cancel();
        co_await sleep(0ns);
        EXPECT_TRUE(x.cancelled());
        log got;
        for (int i = 0; i < 3; ++i) got.push_back(co_await q.get());
        EXPECT_EQ(got, (log{"a", "b", "c"}));
        co_await b;
        co_await c;
    }());
}

TEST_P(queue_cancellation_test, a_getter_of_a_full_queue_lets_the_longest_waiting_putter_go_on) {
    run([]() -> coro<> {
        queue<int> q(1);
        log order;
        auto puts = [&](int n) -> coro<> {
            co_await q.put(n);
            order.push_back(std::to_string(n));
        };
        std::vector<task<>> putters;
        for (int i = 0; i < 4; ++i) putters.push_back(create_task(puts(i)));
        co_await sleep(0ns);
        for (int i = 0; i < 4; ++i) {
            const int got = co_await q.get();
            EXPECT_EQ(got, i);
            co_await sleep(0ns);
        }
        for (const auto& p : putters) co_await p;
        EXPECT_EQ(order, (log{"0", "1", "2", "3"}));
    }());
}

template <class Get>
coro<bool> shut_down(Get get) {
    try {
        static_cast<void>(co_await get);
    } catch (const queue_shut_down&) {
        co_return true;
    }
    co_return false;
}
template <class Queue>
coro<bool> put_refused(Queue& q) {
    try {
        co_await q.put(9);
    } catch (const queue_shut_down&) {
        co_return true;
    }
    co_return false;
}

template <class Queue>
coro<> shut_down_with_one_value(bool immediate) {
    Queue q(1);
    q.put_nowait(1);
    const task<> joins = create_task(q.join());
    const task<bool> putter = create_task(put_refused(q));
    co_await sleep(0ns);
    EXPECT_FALSE(putter.done());
    q.shutdown(immediate);
    EXPECT_EQ(q.size(), immediate ? 0u : 1u);
    co_await sleep(0ns);
    EXPECT_TRUE(putter.done());
    const bool refused = co_await putter;
    EXPECT_TRUE(refused);
    EXPECT_EQ(joins.done(), immediate);
    if (!immediate) {
        const int got = co_await q.get();
        EXPECT_EQ(got, 1);
        co_await sleep(0ns);
        EXPECT_FALSE(joins.done());
    }
    const bool put_fails = co_await put_refused(q);
    const bool get_fails = co_await shut_down(q.get());
    EXPECT_TRUE(put_fails);
    EXPECT_TRUE(get_fails);
    EXPECT_THROW(q.put_nowait(2), queue_shut_down);
    EXPECT_THROW(static_cast<void>(q.get_nowait()), queue_shut_down);
    if (!immediate) q.task_done();
    co_await joins;
    EXPECT_THROW(q.task_done(), std::logic_error);
    q.shutdown();
    q.shutdown(true);
}

TEST_P(queue_cancellation_test, each_kind_of_queue_is_shut_down_alike) {
    for (const bool immediate : {false, true}) {
        run(shut_down_with_one_value<queue<int>>(immediate));
        run(shut_down_with_one_value<lifo_queue<int>>(immediate));
        run(shut_down_with_one_value<priority_queue<int>>(immediate));
    }
}

TEST_P(queue_cancellation_test, an_immediate_shutdown_does_not_count_what_was_got_as_done) {
    run([]() -> coro<> {
        queue<int> q;
        q.put_nowait(1);
        q.put_nowait(2);
        const task<> joins = create_task(q.join());
        static_cast<void>(co_await q.get());
        q.shutdown(true);
        co_await sleep(0ns);
        EXPECT_FALSE(joins.done());
        q.task_done();
        EXPECT_THROW(q.task_done(), std::logic_error);
        co_await sleep(0ns);
        EXPECT_TRUE(joins.done());
    }());
}

TEST_P(queue_cancellation_test, a_shutdown_that_meets_a_woken_getter_does_not_take_its_value) {
    run([]() -> coro<> {
        queue<int> q;
        const task<int> getter = create_task(q.get());
        const task<bool> other = create_task(shut_down(q.get()));
        co_await sleep(0ns);
        q.put_nowait(1);
        q.shutdown();
        const int got = co_await getter;
        EXPECT_EQ(got, 1);
        const bool refused = co_await other;
        EXPECT_TRUE(refused);
    }());
}

TEST_P(queue_cancellation_test,
       many_producers_and_consumers_with_cancels_among_them_deal_with_every_value_once) {
    run([]() -> coro<> {
        queue<int> q(3);
        std::vector<int> seen(200, 0);
        auto produces = [&](int from) -> coro<> {
            for (int i = from; i < from + 50; ++i) {
                co_await q.put(i);
                if (i % 7 == 0) co_await sleep(0ns);
            }
        };
        auto consumes = [&]() -> coro<> {
            for (;;) {
                const int n = co_await q.get();
                ++seen[static_cast<std::size_t>(n)];
                q.task_done();
            }
        };
        std::vector<task<>> producers;
        for (int p = 0; p < 4; ++p) producers.push_back(create_task(produces(50 * p)));
        for (int round = 0; round < 40; ++round) {
            const task<> c = create_task(consumes());
            co_await steps(2);
            c.cancel();
            co_await until_done(c);
        }
        const task<> last = create_task(consumes());
        for (const auto& p : producers) co_await p;
        co_await q.join();
        last.cancel();
        EXPECT_EQ(seen, std::vector<int>(200, 1));
    }());
}

CROSSOVER_ON_EACH_BACK_END(queue_cancellation_test);

}  // namespace
}  // namespace crossover::asyncio
