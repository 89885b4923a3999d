// semaphore and bounded_semaphore.
#include "runtimes/event_loop/sync/semaphore.hpp"

#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class semaphore_test : public on_each_back_end {};

coro<> acquires(semaphore& s, std::string name, log& seen) {
    co_await s.acquire();
    seen.push_back(name);
}

TEST_P(semaphore_test, conformance_110_a_semaphore_is_first_come_first_served_and_newcomers_queue) {
    log seen;
    semaphore s(1);
    auto body = [&]() -> coro<> {
        co_await s.acquire();
        EXPECT_TRUE(s.locked());
        task<> a = create_task(acquires(s, "a", seen));
        task<> b = create_task(acquires(s, "b", seen));
        co_await sleep(0ns);
        s.release();
        s.release();
        EXPECT_TRUE(s.locked()) << "those that were woken have not run yet";
        task<> newcomer = create_task(acquires(s, "newcomer", seen));
        s.release();
        co_await newcomer;
        EXPECT_TRUE(a.done() && b.done());
        EXPECT_TRUE(s.locked());
    };
    run(body());
    EXPECT_EQ(seen, (log{"a", "b", "newcomer"}));
}

TEST_P(semaphore_test, conformance_110_a_cancelled_waiter_gives_its_turn_to_the_next) {
    for (bool woken : {false, true}) {
        log seen;
        semaphore s(0);
        auto body = [&]() -> coro<> {
            task<> a = create_task(acquires(s, "a", seen));
            task<> b = create_task(acquires(s, "b", seen));
            co_await sleep(0ns);
            if (woken) s.release();
            a.cancel();
            if (!woken) s.release();
            co_await b;
            EXPECT_TRUE(a.cancelled());
        };
        run(body());
        EXPECT_EQ(seen, log{"b"});
    }
}

TEST_P(semaphore_test, a_permit_gives_itself_back) {
    semaphore s(2);
    auto body = [&]() -> coro<> {
        {
            const semaphore::permit a = co_await s.scoped();
            const semaphore::permit b = co_await s.scoped();
            EXPECT_TRUE(s.locked());
        }
        EXPECT_FALSE(s.locked());
    };
    run(body());
}

TEST_P(semaphore_test, conformance_112_a_bounded_semaphore_refuses_a_release_too_many) {
    bounded_semaphore s(1);
    EXPECT_THROW(s.release(), std::logic_error);
    EXPECT_THROW(semaphore(-1), std::invalid_argument);
    auto body = [&]() -> coro<> {
        co_await s.acquire();
        s.release();
        EXPECT_THROW(s.release(), std::logic_error);
    };
    run(body());
}

TEST_P(semaphore_test, waiters_cancelled_before_a_release_are_passed_over_and_one_permit_wakes_one) {
    run([]() -> coro<> {
        semaphore s(0);
        std::vector<task<>> all;
        for (int i = 0; i < 4; ++i) all.push_back(create_task(s.acquire()));
        co_await sleep(0ns);
        all[0].cancel();
        all[1].cancel();
        s.release();
        co_await steps(2);
        EXPECT_TRUE(all[2].done());
        EXPECT_FALSE(all[2].cancelled());
        EXPECT_FALSE(all[3].done());
        EXPECT_TRUE(s.locked());
        all[3].cancel();
        co_await sleep(0ns);
        EXPECT_TRUE(s.locked());
        s.release();
        EXPECT_FALSE(s.locked());
    }());
}

TEST_P(semaphore_test, a_permit_given_back_is_free_again_though_the_next_in_line_was_cancelled) {
    run([]() -> coro<> {
        semaphore s(1);
        task<> second;
        bool entered = false;
        auto first = [&]() -> coro<> {
            {
                const semaphore::permit p = co_await s.scoped();
                co_await sleep(0ns);
            }
            second.cancel();
        };
        auto other = [&]() -> coro<> {
            const semaphore::permit p = co_await s.scoped();
            entered = true;
        };
        const task<> t = create_task(first());
        second = create_task(other());
        co_await until_done(t);
        co_await until_done(second);
        EXPECT_TRUE(second.cancelled());
        EXPECT_FALSE(entered);
        co_await wait_for(s.acquire(), 1s);
    }());
}

TEST_P(semaphore_test, who_releases_and_asks_again_goes_behind_those_who_wait) {
    run([]() -> coro<> {
        semaphore s(1);
        log order;
        auto once = [&](std::string name) -> coro<> {
            co_await s.acquire();
            order.push_back(name);
        };
        auto twice = [&]() -> coro<> {
            co_await s.acquire();
            order.push_back("2");
            s.release();
            co_await s.acquire();
            order.push_back("4");
        };
        const task<> a = create_task(once("1"));
        const task<> b = create_task(twice());
        const task<> c = create_task(once("3"));
        co_await sleep(0ns);
        s.release();
        s.release();
        co_await a;
        co_await b;
        co_await c;
        EXPECT_EQ(order, (log{"1", "2", "3", "4"}));
    }());
}

CROSSOVER_ON_EACH_BACK_END(semaphore_test);

}  // namespace
}  // namespace crossover::asyncio
