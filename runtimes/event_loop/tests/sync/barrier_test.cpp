// barrier: filling, draining, breaking.
#include "runtimes/event_loop/sync/barrier.hpp"

#include <algorithm>

#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class barrier_test : public on_each_back_end {};

TEST_P(barrier_test, conformance_113_a_barrier_releases_all_together_with_distinct_places_and_again) {
    barrier b(3);
    std::vector<std::size_t> places;
    auto waits = [&]() -> coro<> {
        for (int round = 0; round < 2; ++round) {
            const std::size_t place = co_await b.wait();
            places.push_back(place);
        }
    };
    auto body = [&]() -> coro<> {
        task<> first = create_task(waits());
        task<> second = create_task(waits());
        co_await steps(5);
        EXPECT_TRUE(places.empty());
        EXPECT_EQ(b.n_waiting(), 2u);
        task<> third = create_task(waits());
        co_await first;
        co_await second;
        co_await third;
        EXPECT_EQ(b.n_waiting(), 0u);
    };
    run(body());
    ASSERT_EQ(places.size(), 6u);
    for (auto part = places.begin(); part != places.end(); part += 3) {
        std::sort(part, part + 3);
        EXPECT_EQ(std::vector(part, part + 3), (std::vector<std::size_t>{0, 1, 2}));
    }
    EXPECT_THROW(barrier(0), std::invalid_argument);
}

coro<> waits_at(barrier& b, std::string name, log& seen) {
    try {
        static_cast<void>(co_await b.wait());
        seen.push_back(name + " passed");
    } catch (const broken_barrier_error&) {
        seen.push_back(name + " broken");
    }
}

TEST_P(barrier_test, conformance_114_a_cancelled_waiter_only_lowers_the_count) {
    log seen;
    barrier b(2);
    auto body = [&]() -> coro<> {
        task<> a = create_task(waits_at(b, "a", seen));
        co_await steps(2);
        a.cancel();
        co_await until_done(a);
        EXPECT_EQ(b.n_waiting(), 0u);
        EXPECT_FALSE(b.broken());
        task<> c = create_task(waits_at(b, "c", seen));
        task<> d = create_task(waits_at(b, "d", seen));
        co_await c;
        co_await d;
    };
    run(body());
    EXPECT_EQ(seen.size(), 2u);
}

TEST_P(barrier_test, conformance_114_reset_breaks_those_that_wait_and_abort_also_those_that_come) {
    log seen;
    barrier b(2);
    auto body = [&]() -> coro<> {
        task<> a = create_task(waits_at(b, "a", seen));
        co_await steps(2);
        co_await b.reset();
        co_await a;
        EXPECT_FALSE(b.broken());
        task<> c = create_task(waits_at(b, "c", seen));
        task<> d = create_task(waits_at(b, "d", seen));
        co_await c;
        co_await d;
        task<> e = create_task(waits_at(b, "e", seen));
        co_await steps(2);
        co_await b.abort();
        co_await e;
        EXPECT_TRUE(b.broken());
        co_await waits_at(b, "f", seen);
    };
    run(body());
    std::sort(seen.begin() + 1, seen.begin() + 3);
    EXPECT_EQ(seen, (log{"a broken", "c passed", "d passed", "e broken", "f broken"}));
}

TEST_P(barrier_test, a_barrier_of_one_never_waits) {
    run([]() -> coro<> {
        barrier b(1);
        const std::uint64_t before = get_running_loop().iterations();
        const std::size_t first = co_await b.wait();
        const std::size_t second = co_await b.wait();
        EXPECT_EQ(first + second, 0u);
        EXPECT_EQ(get_running_loop().iterations(), before);
        EXPECT_EQ(b.n_waiting(), 0u);
        EXPECT_FALSE(b.broken());
    }());
}

coro<> passes(barrier& b, std::string name, log& seen) {
    try {
        static_cast<void>(co_await b.wait());
        seen.push_back(name + " passed");
    } catch (const broken_barrier_error&) {
        seen.push_back(name + " broken");
    }
}

TEST_P(barrier_test, those_who_were_broken_by_a_reset_may_wait_again_and_pass) {
    run([]() -> coro<> {
        barrier b(3);
        log seen;
        auto insists = [&](std::string name) -> coro<> {
            co_await passes(b, name, seen);
            co_await passes(b, name, seen);
        };
        const task<> one = create_task(insists("one"));
        const task<> two = create_task(insists("two"));
        co_await sleep(0ns);
        EXPECT_EQ(b.n_waiting(), 2u);
        const task<> resets = create_task(b.reset());
        co_await sleep(0ns);
        const task<> three = create_task(passes(b, "three", seen));
        co_await one;
        co_await two;
        co_await three;
        std::sort(seen.begin(), seen.end());
        EXPECT_EQ(seen, (log{"one broken", "one passed", "three passed", "two broken", "two passed"}));
        EXPECT_FALSE(b.broken());
        EXPECT_EQ(b.n_waiting(), 0u);
    }());
}

TEST_P(barrier_test, an_abort_while_the_barrier_drains_breaks_those_who_came_late_and_not_those_who_pass) {
    run([]() -> coro<> {
        barrier b(2);
        log seen;
        const task<> first = create_task(passes(b, "first", seen));
        const task<> second = create_task(passes(b, "second", seen));
        const task<> late = create_task(passes(b, "late", seen));
        co_await sleep(0ns);  // second has filled it; first is woken; late waits until it has drained
        co_await first;
        co_await second;
        co_await sleep(0ns);
        EXPECT_EQ(b.n_waiting(), 1u);
        co_await b.abort();
        co_await late;
        EXPECT_EQ(seen.back(), "late broken");
        EXPECT_TRUE(b.broken());
        co_await passes(b, "after", seen);
        EXPECT_EQ(seen.back(), "after broken");
        co_await b.reset();
        EXPECT_FALSE(b.broken());
        const task<> again = create_task(passes(b, "again", seen));
        co_await passes(b, "me", seen);
        co_await again;
        EXPECT_EQ(seen.back(), "me passed");
    }());
}

TEST_P(barrier_test, a_waiter_cancelled_after_the_barrier_was_filled_does_not_hold_up_the_others) {
    run([]() -> coro<> {
        barrier b(3);
        log seen;
        const task<> one = create_task(passes(b, "one", seen));
        const task<> two = create_task(passes(b, "two", seen));
        co_await sleep(0ns);
        const task<> three = create_task(passes(b, "three", seen));
        get_running_loop().call_soon([&] { one.cancel(); });  // it has been woken by then
        co_await three;
        co_await until_done(one);
        co_await two;
        EXPECT_TRUE(one.cancelled());
        EXPECT_EQ(seen.size(), 2u);
        EXPECT_EQ(b.n_waiting(), 0u);
        const task<> x = create_task(passes(b, "x", seen));
        const task<> y = create_task(passes(b, "y", seen));
        co_await passes(b, "z", seen);
        co_await x;
        co_await y;
        EXPECT_EQ(seen.size(), 5u) << "it fills and drains again";
    }());
}

CROSSOVER_ON_EACH_BACK_END(barrier_test);

}  // namespace
}  // namespace crossover::asyncio
