// task_group: waiting for all, and what a failure does to the others.
#include "runtimes/event_loop/combinators/task_group.hpp"

#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class task_group_test : public on_each_back_end {};

coro<> nothing() { co_return; }
coro<> fails(std::string what, int steps = 0) {
    for (int i = 0; i < steps; ++i) co_await sleep(0ns);
    throw std::runtime_error(what);
}
coro<> noted(log& seen, std::string name, std::chrono::nanoseconds time = 1h) {
    try {
        co_await sleep(time);
        seen.push_back(name + " done");
    } catch (const cancelled_error&) {
        seen.push_back(name + " cancelled");
        throw;
    }
}

log messages_of(const exception_group& group) {
    log all;
    for (const std::exception_ptr& e : group.exceptions()) {
        try {
            std::rethrow_exception(e);
        } catch (const std::exception& known) {
            all.push_back(known.what());
        }
    }
    return all;
}

// Runs a group; gives the messages of its exception group, or "ok", or "cancelled: message".
template <class Body>
coro<log> group_outcome(Body body) {
    task_group group;
    try {
        co_await with(group, body);
    } catch (const exception_group& e) {
        co_return messages_of(e);
    } catch (const cancelled_error& e) {
        co_return log{std::string("cancelled: ") + e.message()};
    }
    co_return log{"ok"};
}

TEST_P(task_group_test, conformance_092_the_end_of_the_scope_waits_for_all_also_for_grandchildren) {
    log seen;
    auto spawns = [&](task_group& g) -> coro<> {
        co_await sleep(0ns);
        static_cast<void>(g.create_task(noted(seen, "grandchild", 1ms)));
    };
    auto body = [&]() -> coro<> {
        task_group group;
        auto inside = [&](task_group& g) -> coro<int> {
            static_cast<void>(g.create_task(noted(seen, "child", 500us)));
            static_cast<void>(g.create_task(spawns(g)));
            co_return 4;
        };
        const int result = co_await with(group, inside);
        EXPECT_EQ(result, 4);
    };
    run(body());
    EXPECT_EQ(seen, (log{"child done", "grandchild done"}));
}

TEST_P(task_group_test,
       conformance_093_the_first_failure_cancels_siblings_and_body_and_all_failures_come_out) {
    log seen;
    auto inside = [&](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(fails("one")));
        static_cast<void>(g.create_task(fails("two")));
        static_cast<void>(g.create_task(noted(seen, "sibling")));
        co_await noted(seen, "body");
    };
    auto body = [&]() -> coro<> {
        const auto got1 = co_await group_outcome(inside);
        EXPECT_EQ(got1, (log{"one", "two"}));
        EXPECT_EQ(seen, (log{"sibling cancelled", "body cancelled"}));
    };
    run(body());
}

TEST_P(task_group_test, conformance_094_an_exception_in_the_body_cancels_the_children_and_is_a_member) {
    log seen;
    auto inside = [&](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(noted(seen, "child")));
        co_await sleep(0ns);
        throw std::out_of_range("body");
    };
    auto body = [&]() -> coro<> {
        const auto got2 = co_await group_outcome(inside);
        EXPECT_EQ(got2, log{"body"});
        EXPECT_EQ(seen, log{"child cancelled"});
    };
    run(body());
}

TEST_P(task_group_test, conformance_095_a_child_that_is_cancelled_does_not_abort_the_group) {
    log seen;
    auto inside = [&](task_group& g) -> coro<> {
        task<> victim = g.create_task(noted(seen, "victim"));
        static_cast<void>(g.create_task(noted(seen, "sibling", 1ms)));
        co_await sleep(0ns);
        victim.cancel();
    };
    auto body = [&]() -> coro<> {
        const auto got3 = co_await group_outcome(inside);
        EXPECT_EQ(got3, log{"ok"});
        EXPECT_EQ(seen, (log{"victim cancelled", "sibling done"}));
    };
    run(body());
}

TEST_P(task_group_test, conformance_096_an_outer_cancel_cancels_the_children_and_keeps_its_message) {
    log seen;
    auto inside = [&](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(noted(seen, "a")));
        static_cast<void>(g.create_task(noted(seen, "b")));
        co_return;
    };
    auto body = [&]() -> coro<> {
        task<log> t = create_task(group_outcome(inside));
        co_await sleep(0ns);
        co_await sleep(0ns);
        t.cancel("outer");
        const auto got4 = co_await t;
        EXPECT_EQ(got4, log{"cancelled: outer"});
        EXPECT_EQ(seen, (log{"a cancelled", "b cancelled"}));
    };
    run(body());
}

coro<> fails_when_cancelled() {
    co_await sleeps_until_cancelled();
    throw std::runtime_error("clean-up");
}

TEST_P(task_group_test, conformance_097_failures_during_an_outer_cancel_are_raised_and_the_request_stays) {
    auto inside = [](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(fails_when_cancelled()));
        co_await sleep(1h);
    };
    log seen;
    auto outer = [&]() -> coro<> {
        seen = co_await group_outcome(inside);
        EXPECT_EQ(current_task().cancelling(), 1u);
        co_await sleep(1h);
        seen.push_back("not reached");
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(outer());
        co_await sleep(0ns);
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(seen, log{"clean-up"});
    };
    run(body());
}

TEST_P(task_group_test, conformance_098_the_parent_is_not_left_cancelling_after_a_failure) {
    auto inside = [](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(fails("child")));
        co_await sleep(1h);
    };
    auto body = [&]() -> coro<> {
        const auto got5 = co_await group_outcome(inside);
        EXPECT_EQ(got5, log{"child"});
        EXPECT_EQ(current_task().cancelling(), 0u);
        co_await sleep(0ns);
    };
    run(body());
}

TEST_P(task_group_test, conformance_100_create_task_is_refused_outside_the_scope_and_while_aborting) {
    log seen;
    auto body = [&]() -> coro<> {
        auto held = std::make_shared<int>(0);
        auto holds = [](std::shared_ptr<int>) -> coro<> { co_return; };
        task_group group;
        EXPECT_THROW(static_cast<void>(group.create_task(holds(held))), std::logic_error);
        EXPECT_EQ(held.use_count(), 1) << "the refused coroutine is destroyed";
        auto inside = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(nothing()));
            co_return;
        };
        co_await with(group, inside);
        EXPECT_THROW(static_cast<void>(group.create_task(holds(held))), std::logic_error);

        auto late = [&](task_group& g) -> coro<> {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
                EXPECT_THROW(static_cast<void>(g.create_task(holds(held))), std::logic_error);
                seen.push_back("refused");
            }
        };
        auto aborting = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails("x", 1)));
            static_cast<void>(g.create_task(late(g)));
            co_return;
        };
        const auto got6 = co_await group_outcome(aborting);
        EXPECT_EQ(got6, log{"x"});
        EXPECT_EQ(held.use_count(), 1);
    };
    run(body());
    EXPECT_EQ(seen, log{"refused"});
}

struct interrupt_all : loop_exit {};

TEST_P(task_group_test, a_child_may_be_given_a_context) {
    context_var<int> number("number", 0);
    run([](context_var<int>& v) -> coro<> {
        const context given = copy_context();
        const auto set = [](context_var<int>& to) -> coro<> {
            to.set(8);
            co_return;
        };
        const auto body = [&](task_group& g) -> coro<> { co_await g.create_task(set(v), given); };
        task_group group;
        co_await with(group, body);
        EXPECT_EQ(v.get(given), 8);
        EXPECT_EQ(v.get(), 0);
    }(number));
}

TEST_P(task_group_test, conformance_101_a_loop_exit_comes_out_bare) {
    log seen;
    auto exits = []() -> coro<> {
        co_await sleep(0ns);
        throw interrupt_all();
    };
    auto inside = [&](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(noted(seen, "sibling")));
        co_await exits();
    };
    auto body = [&]() -> coro<> {
        task_group group;
        co_await with(group, inside);
    };
    EXPECT_THROW(run(body()), interrupt_all);
    EXPECT_EQ(seen, log{"sibling cancelled"});
}

TEST_P(task_group_test, conformance_102_finished_children_are_released_at_once) {
    auto held = std::make_shared<int>(0);
    auto gives = [](std::shared_ptr<int> value) -> coro<std::shared_ptr<int>> { co_return value; };
    auto inside = [&](task_group& g) -> coro<> {
        for (int i = 0; i < 10; ++i) {
            static_cast<void>(g.create_task(gives(held)));
            co_await sleep(0ns);
            co_await sleep(0ns);
            EXPECT_EQ(held.use_count(), 1);
        }
    };
    auto body = [&]() -> coro<> {
        const auto got7 = co_await group_outcome(inside);
        EXPECT_EQ(got7, log{"ok"});
    };
    run(body());
}

TEST_P(task_group_test, a_group_can_be_entered_once) {
    auto body = []() -> coro<> {
        task_group group;
        auto inside = [](task_group&) -> coro<> { co_return; };
        co_await with(group, inside);
        bool refused = false;
        try {
            co_await with(group, inside);
        } catch (const std::logic_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(task_group_test);

}  // namespace
}  // namespace crossover::asyncio
