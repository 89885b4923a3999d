// queue, lifo_queue, priority_queue.
#include "runtimes/event_loop/sync/queue.hpp"

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class queue_test : public on_each_back_end {};

coro<> puts(queue<int>& q, int from, int to) {
    for (int i = from; i < to; ++i) co_await q.put(i);
}
coro<> gets(queue<int>& q, std::size_t n, std::vector<int>& seen) {
    for (std::size_t i = 0; i < n; ++i) seen.push_back(co_await q.get());
}

TEST_P(queue_test, conformance_116_put_blocks_when_full_and_get_when_empty) {
    queue<int> q(2);
    auto body = [&]() -> coro<> {
        task<> producer = create_task(puts(q, 0, 4));
        co_await sleep(0ns);
        EXPECT_TRUE(q.full());
        EXPECT_EQ(q.size(), 2u);
        EXPECT_FALSE(producer.done());
        EXPECT_THROW(q.put_nowait(9), queue_full);
        std::vector<int> seen;
        co_await gets(q, 4, seen);
        EXPECT_EQ(seen.back(), 3);
        co_await producer;
        EXPECT_THROW(q.get_nowait(), queue_empty);
        task<> consumer = create_task(gets(q, 1, seen));
        co_await sleep(0ns);
        EXPECT_FALSE(consumer.done());
        q.put_nowait(7);
        co_await consumer;
        EXPECT_EQ(seen.back(), 7);
    };
    run(body());
}

TEST_P(queue_test, conformance_116_both_kinds_of_waiters_are_served_in_order) {
    queue<int> q(1);
    std::vector<int> a, b, c;
    auto body = [&]() -> coro<> {
        task<> first = create_task(gets(q, 1, a));
        task<> second = create_task(gets(q, 1, b));
        co_await sleep(0ns);
        task<> p1 = create_task(puts(q, 1, 2));
        task<> p2 = create_task(puts(q, 2, 3));
        task<> p3 = create_task(puts(q, 3, 4));
        co_await first;
        co_await second;
        co_await gets(q, 1, c);
        co_await p1;
        co_await p2;
        co_await p3;
    };
    run(body());
    EXPECT_EQ(a, std::vector{1});
    EXPECT_EQ(b, std::vector{2});
    EXPECT_EQ(c, std::vector{3});
}

TEST_P(queue_test, conformance_118_alternating_puts_and_gets_on_one_place_do_not_deadlock) {
    queue<int> q(1);
    std::vector<int> seen;
    auto body = [&]() -> coro<> {
        std::vector<coro<>> all;
        for (int i = 0; i < 5; ++i) {
            all.push_back(puts(q, 10 * i, 10 * i + 10));
            all.push_back(gets(q, 10, seen));
        }
        co_await wait_for(gather(std::move(all)), 30s);
    };
    run(body());
    EXPECT_EQ(seen.size(), 50u);
}

TEST_P(queue_test, conformance_118_a_batch_of_gets_that_empties_the_queue_lets_all_putters_go_on) {
    queue<int> q(4);
    auto body = [&]() -> coro<> {
        for (int i = 0; i < 4; ++i) q.put_nowait(i);
        std::vector<task<>> putters;
        for (int i = 0; i < 4; ++i) putters.push_back(create_task(puts(q, i, i + 1)));
        co_await sleep(0ns);
        for (int i = 0; i < 4; ++i) q.get_nowait();
        for (task<>& p : putters) co_await p;
        EXPECT_EQ(q.size(), 4u);
    };
    run(body());
}

TEST_P(queue_test, a_getter_that_was_overtaken_waits_on_and_a_cancelled_one_passes_its_wake_on) {
    queue<int> q;
    std::vector<int> a, b;
    auto body = [&]() -> coro<> {
        task<> first = create_task(gets(q, 1, a));
        co_await sleep(0ns);
        q.put_nowait(1);
        const int stolen = q.get_nowait();
        EXPECT_EQ(stolen, 1);
        co_await sleep(0ns);
        EXPECT_FALSE(first.done());
        task<> second = create_task(gets(q, 1, b));
        co_await sleep(0ns);
        q.put_nowait(2);
        first.cancel();
        co_await second;
        EXPECT_TRUE(first.cancelled());
    };
    run(body());
    EXPECT_TRUE(a.empty());
    EXPECT_EQ(b, std::vector{2});
}

TEST_P(queue_test, a_cancelled_putter_puts_nothing_and_passes_its_wake_on) {
    queue<int> q(1);
    auto body = [&]() -> coro<> {
        q.put_nowait(0);
        task<> a = create_task(puts(q, 1, 2));
        task<> b = create_task(puts(q, 2, 3));
        co_await sleep(0ns);
        q.get_nowait();
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        const int left = q.get_nowait();
        EXPECT_EQ(left, 2);
        EXPECT_TRUE(q.empty());
    };
    run(body());
}

TEST_P(queue_test, conformance_119_join_returns_when_everything_is_dealt_with) {
    queue<int> q;
    int done = 0;
    auto works = [&]() -> coro<> {
        for (;;) {
            static_cast<void>(co_await q.get());
            co_await sleep(0ns);
            ++done;
            q.task_done();
        }
    };
    auto body = [&]() -> coro<> {
        co_await q.join();
        EXPECT_THROW(q.task_done(), std::logic_error);
        for (int i = 0; i < 10; ++i) q.put_nowait(i);
        task<> a = create_task(works());
        task<> b = create_task(works());
        co_await q.join();
        EXPECT_EQ(done, 10);
        EXPECT_THROW(q.task_done(), std::logic_error);
        a.cancel();
        b.cancel();
    };
    run(body());
}

coro<std::string> put_outcome(queue<int>& q) {
    try {
        co_await q.put(1);
    } catch (const queue_shut_down&) {
        co_return "shut down";
    }
    co_return "put";
}
coro<std::string> get_outcome(queue<int>& q) {
    try {
        const int value = co_await q.get();
        co_return std::to_string(value);
    } catch (const queue_shut_down&) {
        co_return "shut down";
    }
}

TEST_P(queue_test, conformance_120_shutdown_refuses_puts_and_lets_gets_drain) {
    queue<int> q(1);
    auto body = [&]() -> coro<> {
        q.put_nowait(5);
        task<std::string> putter = create_task(put_outcome(q));
        co_await sleep(0ns);
        q.shutdown();
        const std::string blocked = co_await putter;
        EXPECT_EQ(blocked, "shut down");
        EXPECT_THROW(q.put_nowait(1), queue_shut_down);
        const std::string late = co_await put_outcome(q);
        EXPECT_EQ(late, "shut down");
        const std::string left = co_await get_outcome(q);
        EXPECT_EQ(left, "5");
        const std::string none = co_await get_outcome(q);
        EXPECT_EQ(none, "shut down");
        EXPECT_THROW(q.get_nowait(), queue_shut_down);
        task<> joins = create_task([](queue<int>& mine) -> coro<> { co_await mine.join(); }(q));
        co_await sleep(0ns);
        EXPECT_FALSE(joins.done());
        q.task_done();
        co_await joins;
    };
    run(body());
}

TEST_P(queue_test, conformance_120_shutdown_wakes_blocked_getters) {
    queue<int> q;
    auto body = [&]() -> coro<> {
        task<std::string> a = create_task(get_outcome(q));
        task<std::string> b = create_task(get_outcome(q));
        co_await sleep(0ns);
        q.shutdown();
        const std::string first = co_await a;
        const std::string second = co_await b;
        EXPECT_EQ(first + ", " + second, "shut down, shut down");
    };
    run(body());
}

TEST_P(queue_test, conformance_121_an_immediate_shutdown_drops_what_is_left_and_counts_it_as_done) {
    queue<int> q;
    auto body = [&]() -> coro<> {
        for (int i = 0; i < 3; ++i) q.put_nowait(i);
        q.shutdown(true);
        EXPECT_TRUE(q.empty());
        co_await q.join();
        EXPECT_THROW(q.get_nowait(), queue_shut_down);
    };
    run(body());
    queue<int> taken;
    auto unfinished = [&]() -> coro<> {
        taken.put_nowait(1);
        taken.put_nowait(2);
        taken.get_nowait();
        task<> joins = create_task([](queue<int>& mine) -> coro<> { co_await mine.join(); }(taken));
        co_await sleep(0ns);
        taken.shutdown(true);
        co_await sleep(0ns);
        EXPECT_FALSE(joins.done()) << "one that was got is not dealt with yet";
        taken.task_done();
        co_await joins;
    };
    run(unfinished());
}

template <class Queue>
std::vector<int> drained() {
    Queue q;
    for (int i : {2, 3, 1}) q.put_nowait(i);
    std::vector<int> seen;
    while (!q.empty()) seen.push_back(q.get_nowait());
    return seen;
}

TEST_P(queue_test, conformance_122_the_kinds_differ_in_order) {
    EXPECT_EQ(drained<queue<int>>(), (std::vector{2, 3, 1}));
    EXPECT_EQ(drained<lifo_queue<int>>(), (std::vector{1, 3, 2}));
    EXPECT_EQ(drained<priority_queue<int>>(), (std::vector{1, 2, 3}));
    EXPECT_EQ((drained<priority_queue<int, std::greater<int>>>()), (std::vector{3, 2, 1}));
}

CROSSOVER_ON_EACH_BACK_END(queue_test);

}  // namespace
}  // namespace crossover::asyncio
