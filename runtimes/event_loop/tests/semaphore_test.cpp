// semaphore and bounded_semaphore.
#include "runtimes/event_loop/semaphore.hpp"

#include "runtimes/event_loop/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

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

CROSSOVER_ON_EACH_BACK_END(semaphore_test);

}  // namespace
}  // namespace crossover::asyncio
