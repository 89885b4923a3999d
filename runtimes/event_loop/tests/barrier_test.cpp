// barrier: filling, draining, breaking.
#include "runtimes/event_loop/barrier.hpp"

#include "runtimes/event_loop/task.hpp"
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

CROSSOVER_ON_EACH_BACK_END(barrier_test);

}  // namespace
}  // namespace crossover::asyncio
