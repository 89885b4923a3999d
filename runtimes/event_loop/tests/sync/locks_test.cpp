// lock, event, condition, and what all primitives have in common.
#include <memory>

#include "runtimes/event_loop/sync/barrier.hpp"
#include "runtimes/event_loop/sync/condition.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class locks_test : public on_each_back_end {};

coro<> holds(lock& l, std::string name, log& seen) {
    co_await l.acquire();
    seen.push_back(name);
    co_await sleep(0ns);
    l.release();
}

TEST_P(locks_test, conformance_104_a_lock_is_fair) {
    log seen;
    lock l;
    auto greedy = [&]() -> coro<> {
        for (int i = 0; i < 2; ++i) {
            co_await l.acquire();
            seen.push_back("greedy");
            co_await sleep(0ns);
            l.release();
        }
    };
    auto body = [&]() -> coro<> {
        task<> a = create_task(greedy());
        task<> b = create_task(holds(l, "b", seen));
        task<> c = create_task(holds(l, "c", seen));
        co_await a;
        co_await b;
        co_await c;
        EXPECT_FALSE(l.locked());
    };
    run(body());
    EXPECT_EQ(seen, (log{"greedy", "b", "c", "greedy"}));
}

TEST_P(locks_test, conformance_105_a_cancelled_waiter_is_skipped_and_the_next_is_woken) {
    log seen;
    lock l;
    auto body = [&]() -> coro<> {
        co_await l.acquire();
        task<> a = create_task(holds(l, "a", seen));
        task<> b = create_task(holds(l, "b", seen));
        co_await sleep(0ns);
        a.cancel();
        l.release();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_FALSE(l.locked());
    };
    run(body());
    EXPECT_EQ(seen, log{"b"});
}

TEST_P(locks_test, conformance_105_a_waiter_cancelled_after_its_wake_passes_the_lock_on) {
    log seen;
    lock l;
    auto body = [&]() -> coro<> {
        co_await l.acquire();
        task<> a = create_task(holds(l, "a", seen));
        task<> b = create_task(holds(l, "b", seen));
        co_await sleep(0ns);
        l.release();
        a.cancel();
        co_await b;
        EXPECT_TRUE(a.cancelled());
        EXPECT_FALSE(l.locked());
    };
    run(body());
    EXPECT_EQ(seen, log{"b"});
}

TEST_P(locks_test, conformance_106_releasing_an_unlocked_lock_throws_and_any_task_may_release) {
    lock l;
    EXPECT_THROW(l.release(), std::logic_error);
    auto releases = [&]() -> coro<> {
        l.release();
        co_return;
    };
    auto body = [&]() -> coro<> {
        co_await l.acquire();
        co_await create_task(releases());
        EXPECT_FALSE(l.locked());
    };
    run(body());
}

TEST_P(locks_test, a_guard_releases_also_when_an_exception_passes) {
    lock l;
    auto fails = [&]() -> coro<> {
        const lock::guard held = co_await l.scoped();
        EXPECT_TRUE(l.locked());
        throw std::runtime_error("inside");
    };
    EXPECT_THROW(run(fails()), std::runtime_error);
    EXPECT_FALSE(l.locked());
}

TEST_P(locks_test, conformance_107_set_wakes_all_present_waiters_even_if_clear_follows) {
    log seen;
    event e;
    auto waits = [&](std::string name) -> coro<> {
        co_await e.wait();
        seen.push_back(name);
    };
    auto body = [&]() -> coro<> {
        task<> a = create_task(waits("a"));
        task<> b = create_task(waits("b"));
        task<> cancelled = create_task(waits("cancelled"));
        co_await sleep(0ns);
        cancelled.cancel();
        e.set();
        e.clear();
        co_await a;
        co_await b;
        EXPECT_FALSE(e.is_set());
        e.set();
        co_await e.wait();
        co_await until_done(cancelled);
        EXPECT_TRUE(cancelled.cancelled());
    };
    run(body());
    EXPECT_EQ(seen, (log{"a", "b"}));
}

TEST_P(locks_test, conformance_108_a_condition_needs_its_lock) {
    condition c;
    EXPECT_THROW(c.notify(), std::logic_error);
    EXPECT_THROW(c.notify_all(), std::logic_error);
    auto waits = [&]() -> coro<> { co_await c.wait(); };
    EXPECT_THROW(run(waits()), std::logic_error);
}

TEST_P(locks_test, conformance_108_notify_wakes_so_many_in_order_and_wait_takes_the_lock_again) {
    log seen;
    condition c;
    auto waits = [&](std::string name) -> coro<> {
        const lock::guard held = co_await c.scoped();
        co_await c.wait();
        EXPECT_TRUE(c.locked());
        seen.push_back(name);
    };
    auto body = [&]() -> coro<> {
        task<> all[3] = {create_task(waits("a")), create_task(waits("b")), create_task(waits("c"))};
        co_await steps(2);
        co_await c.acquire();
        c.notify(2);
        c.release();
        co_await steps(5);
        EXPECT_EQ(seen.size(), 2u);
        co_await c.acquire();
        c.notify_all();
        c.release();
        co_await all[2];
        EXPECT_TRUE(all[0].done());
    };
    run(body());
    EXPECT_EQ(seen, (log{"a", "b", "c"}));
}

TEST_P(locks_test, conformance_108_a_cancelled_wait_has_the_lock_again_and_passes_its_notice_on) {
    log seen;
    condition c;
    auto waits = [&](std::string name) -> coro<> {
        const lock::guard held = co_await c.scoped();
        try {
            co_await c.wait();
            seen.push_back(name);
        } catch (const cancelled_error&) {
            EXPECT_TRUE(c.locked());
            seen.push_back(name + " cancelled");
            throw;
        }
    };
    auto body = [&]() -> coro<> {
        task<> a = create_task(waits("a"));
        task<> b = create_task(waits("b"));
        co_await steps(2);
        co_await c.acquire();
        c.notify(1);
        a.cancel();
        a.cancel();
        co_await steps(2);
        EXPECT_FALSE(a.done()) << "the lock is held by somebody else";
        c.release();
        co_await b;
        EXPECT_TRUE(a.cancelled());
    };
    run(body());
    EXPECT_EQ(seen, (log{"a cancelled", "b"}));
}

TEST_P(locks_test, conformance_108_wait_for_gives_what_the_predicate_returned) {
    run([]() -> coro<> {
        condition changed;
        std::string state;
        const auto waits = [](condition& c, const std::string& s) -> coro<std::size_t> {
            co_await c.acquire();
            const std::size_t size = co_await c.wait_for([&s] { return s.size(); });
            c.release();
            co_return size;
        };
        const task<std::size_t> waiter = create_task(waits(changed, state));
        co_await sleep(0ns);
        co_await changed.acquire();
        changed.notify();
        state = "three";
        changed.release();
        const std::size_t size = co_await waiter;
        EXPECT_EQ(size, 5u);
    }());
}

TEST_P(locks_test, conformance_115_a_primitive_belongs_to_the_loop_in_which_it_first_blocked) {
    lock l;
    event e;
    auto blocks = [&]() -> coro<> {
        co_await l.acquire();
        task<> a = create_task([](lock& mine) -> coro<> { co_await mine.acquire(); }(l));
        task<> b = create_task([](event& mine) -> coro<> { co_await mine.wait(); }(e));
        co_await sleep(0ns);
        a.cancel();
        b.cancel();
        co_await sleep(0ns);
    };
    run(blocks());
    auto again = [&](bool lock_too) -> coro<> {
        if (lock_too)
            co_await l.acquire();
        else
            co_await e.wait();
    };
    EXPECT_THROW(run(again(true)), std::runtime_error);
    EXPECT_THROW(run(again(false)), std::runtime_error);
}

TEST_P(locks_test, a_loop_may_be_torn_down_while_tasks_wait_for_primitives) {
    log seen;
    lock l;
    semaphore s(0);
    condition c;
    barrier b(2);
    auto nested = [&]() -> coro<> {
        const lock::guard held = co_await c.scoped();
        co_await c.wait();
    };
    auto on_semaphore = [&]() -> coro<> { const semaphore::permit p = co_await s.scoped(); };
    {
        loop own(options());
        own.set_exception_handler([&](loop&, const error_report& r) { seen.push_back(r.message); });
        static_cast<void>(own.create_task(holds(l, "holder", seen)));
        static_cast<void>(own.create_task(holds(l, "waiter", seen)));
        static_cast<void>(own.create_task(nested()));
        static_cast<void>(own.create_task(on_semaphore()));
        static_cast<void>(own.create_task(b.wait()));
        own.stop();
        own.run_forever();
    }
    EXPECT_EQ(seen.size(), 6u) << "the holder, and five tasks that were destroyed";
}

CROSSOVER_ON_EACH_BACK_END(locks_test);

}  // namespace
}  // namespace crossover::asyncio
