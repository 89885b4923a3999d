// Groups inside groups, and cancels from outside while children fail.
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class task_group_nesting_test : public on_each_back_end {};

// The failures of a group, a group among them in brackets.
std::string text_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const exception_group& group) {
        std::string text = "[";
        for (const std::exception_ptr& e : group.exceptions()) text += (text == "[" ? "" : " ") + text_of(e);
        return text + "]";
    } catch (const std::exception& e) {
        return e.what();
    }
}

std::string end_of(const any_task& t) {
    if (t.cancelled()) return "cancelled";
    const std::exception_ptr e = t.exception();
    return e ? text_of(e) : "ok";
}

coro<> fails_when_cancelled(std::string what) {
    co_await sleeps_until_cancelled();
    throw std::runtime_error(what);
}
coro<> fails_after(int n, std::string what) {
    co_await steps(n);
    throw std::runtime_error(what);
}
coro<> idles() { co_await sleep(1h); }

// A group around the body, which outlives it.
template <class Body>
std::invoke_result_t<Body&, task_group&> in_a_group(Body& body) {
    task_group group;
    co_return co_await with(group, body);
}

TEST_P(task_group_nesting_test, failures_during_an_outer_cancel_come_out_through_the_groups_around) {
    run([]() -> coro<> {
        auto inner_body = [](task_group& g) -> coro<> {
            for (int i = 0; i < 3; ++i) static_cast<void>(g.create_task(fails_when_cancelled("x")));
            co_await sleep(1h);
        };
        auto outer_body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(idles()));
            co_await in_a_group(inner_body);
        };
        const task<> t = create_task(in_a_group(outer_body));
        co_await steps(3);
        EXPECT_FALSE(t.done());
        t.cancel();
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[[x x x]]");
        EXPECT_EQ(t.cancelling(), 1u);
    }());
}

TEST_P(task_group_nesting_test,
       a_failure_in_the_outer_group_cancels_the_inner_one_which_is_no_failure_of_its_own) {
    run([]() -> coro<> {
        auto inner_body = [](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(idles()));
            co_return;
        };
        auto outer_body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails_after(2, "outer")));
            co_await in_a_group(inner_body);
        };
        const task<> t = create_task(in_a_group(outer_body));
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[outer]");
        EXPECT_EQ(t.cancelling(), 0u);
    }());
}

TEST_P(task_group_nesting_test, a_failure_in_the_inner_group_fails_the_outer_one) {
    run([]() -> coro<> {
        auto inner_body = [](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails_after(2, "inner")));
            co_return;
        };
        task<> sibling;
        auto outer_body = [&](task_group& g) -> coro<> {
            sibling = g.create_task(idles());
            co_await in_a_group(inner_body);
        };
        const task<> t = create_task(in_a_group(outer_body));
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[[inner]]");
        EXPECT_TRUE(sibling.cancelled());
        EXPECT_EQ(t.cancelling(), 0u);
    }());
}

TEST_P(task_group_nesting_test, two_groups_whose_children_fail_in_one_iteration_both_fail) {
    run([]() -> coro<> {
        auto inner_body = [](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails_after(3, "inner")));
            co_return;
        };
        auto outer_body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails_after(3, "outer")));
            co_await in_a_group(inner_body);
        };
        const task<> t = create_task(in_a_group(outer_body));
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[outer [inner]]");
        EXPECT_EQ(t.cancelling(), 0u);
    }());
}

TEST_P(task_group_nesting_test,
       a_child_that_fails_while_the_body_cleans_up_after_a_cancel_ends_the_clean_up) {
    run([]() -> coro<> {
        int waits_ended_by_cancel = 0;
        auto body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails_after(6, "child")));
            for (int i = 0; i < 2; ++i) {
                try {
                    co_await sleep(1h);
                } catch (const cancelled_error&) {
                    ++waits_ended_by_cancel;
                }
            }
            throw cancelled_error();
        };
        const task<> t = create_task(in_a_group(body));
        co_await steps(3);
        t.cancel();
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[child]");
        EXPECT_EQ(waits_ended_by_cancel, 2);
        EXPECT_EQ(t.cancelling(), 1u) << "the request from outside";
    }());
}

TEST_P(task_group_nesting_test, a_body_that_makes_another_exception_of_its_cancel_fails_with_it) {
    run([]() -> coro<> {
        auto body = [](task_group&) -> coro<> { co_await fails_when_cancelled("mine"); };
        const task<> t = create_task(in_a_group(body));
        co_await steps(2);
        t.cancel();
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[mine]");
    }());
}

TEST_P(task_group_nesting_test, a_body_that_swallows_its_cancel_ends_the_group_well) {
    run([]() -> coro<> {
        task<> child;
        auto body = [&](task_group& g) -> coro<int> {
            child = g.create_task(steps(5));
            co_await sleeps_until_cancelled();
            co_return 5;
        };
        const task<int> t = create_task(in_a_group(body));
        co_await steps(2);
        t.cancel();
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "ok");
        EXPECT_TRUE(child.done());
        EXPECT_FALSE(child.cancelled());
        EXPECT_EQ(t.cancelling(), 1u);
    }());
}

TEST_P(task_group_nesting_test,
       a_cancel_while_the_group_waits_for_its_children_reaches_them_once_and_a_second_one_does_not) {
    run([]() -> coro<> {
        int cancels = 0;
        auto stubborn = [&]() -> coro<> {
            for (int i = 0; i < 20; ++i) {
                try {
                    co_await sleep(100us);
                } catch (const cancelled_error&) {
                    ++cancels;
                }
            }
        };
        auto body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(stubborn()));
            co_return;
        };
        const task<> t = create_task(in_a_group(body));
        co_await steps(3);
        t.cancel("one");
        co_await steps(3);
        t.cancel("two");
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "cancelled");
        EXPECT_EQ(cancels, 1);
        EXPECT_EQ(t.cancelling(), 2u);
        std::string message;
        try {
            co_await t;
        } catch (const cancelled_error& e) {
            message = e.message();
        }
        EXPECT_EQ(message, "one");
    }());
}

TEST_P(task_group_nesting_test, children_that_make_children_for_ever_end_with_the_group) {
    run([]() -> coro<> {
        int made = 0;
        std::function<coro<>(task_group&)> hydra = [&](task_group& g) -> coro<> {
            ++made;
            co_await sleep(0ns);
            static_cast<void>(g.create_task(hydra(g)));
            static_cast<void>(g.create_task(hydra(g)));
        };
        auto hercules = [&]() -> coro<> {
            while (made < 10) co_await sleep(0ns);
            throw std::runtime_error("slain");
        };
        auto body = [&](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(hydra(g)));
            static_cast<void>(g.create_task(hercules()));
            co_return;
        };
        const task<> t = create_task(in_a_group(body));
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "[slain]");
        EXPECT_GE(made, 10);
        EXPECT_EQ(all_tasks().size(), 1u);
    }());
}

TEST_P(task_group_nesting_test, a_request_that_was_there_before_the_group_stays_after_its_failure) {
    run([]() -> coro<> {
        auto body = [](task_group& g) -> coro<> {
            static_cast<void>(g.create_task(fails_after(1, "child")));
            co_await sleep(1h);
        };
        bool group_failed = false;
        bool next_await_cancelled = false;
        auto runs = [&]() -> coro<> {
            current_task().cancel();
            try {
                co_await sleep(0ns);
            } catch (const cancelled_error&) {
            }
            task_group group;
            try {
                co_await with(group, body);
            } catch (const exception_group&) {
                group_failed = true;
            }
            EXPECT_EQ(current_task().cancelling(), 1u);
            try {
                co_await sleep(0ns);
            } catch (const cancelled_error&) {
                next_await_cancelled = true;
            }
        };
        const task<> t = create_task(runs());
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "ok");
        EXPECT_TRUE(group_failed);
        EXPECT_TRUE(next_await_cancelled);
    }());
}

TEST_P(task_group_nesting_test, a_child_may_await_a_sibling_and_is_cancelled_with_it) {
    run([]() -> coro<> {
        task<> first;
        task<> second;
        auto awaits = [](task<> other) -> coro<> { co_await other; };
        auto body = [&](task_group& g) -> coro<> {
            first = g.create_task(idles());
            second = g.create_task(awaits(first));
            co_await steps(2);
            first.cancel();
        };
        const task<> t = create_task(in_a_group(body));
        co_await until_done(t);
        EXPECT_EQ(end_of(t), "ok") << "cancelled children are no failure";
        EXPECT_TRUE(first.cancelled());
        EXPECT_TRUE(second.cancelled());
    }());
}

CROSSOVER_ON_EACH_BACK_END(task_group_nesting_test);

}  // namespace
}  // namespace crossover::asyncio
