// Context variables: inheritance, isolation and explicit contexts.
#include "runtimes/event_loop/loop/context.hpp"

#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class context_test : public on_each_back_end {};

using variable = context_var<std::string>;

coro<> expects_then_sets(variable& v, std::string expected, std::string value) {
    EXPECT_EQ(v.get(), expected);
    co_await sleep(0ns);
    EXPECT_EQ(v.get(), expected);
    v.set(value);
    co_await sleep(0ns);
    EXPECT_EQ(v.get(), value);
}

TEST_P(context_test, conformance_041_a_task_copies_its_creators_context) {
    variable v("v", "nothing");
    auto body = [&]() -> coro<> {
        const task<> before = create_task(expects_then_sets(v, "nothing", "a"));
        v.set("main's");
        const task<> after = create_task(expects_then_sets(v, "main's", "b"));
        v.set("later");  // neither sees it
        co_await before;
        co_await after;
    };
    run(body());
    EXPECT_EQ(v.get(), "nothing") << "the main task has a context of its own";
}

TEST_P(context_test, conformance_041_changes_inside_do_not_leak_out) {
    variable v("v", "nothing");
    auto body = [&]() -> coro<> {
        v.set("main's");
        const task<> child = create_task(expects_then_sets(v, "main's", "child's"));
        co_await child;
        EXPECT_EQ(v.get(), "main's");
        co_await expects_then_sets(v, "main's", "awaited");
        EXPECT_EQ(v.get(), "awaited") << "a coroutine that is awaited runs in the same context";
    };
    run(body());
}

TEST_P(context_test, conformance_041_an_explicit_context_is_used_and_changed) {
    variable v("v", "nothing");
    auto body = [&]() -> coro<> {
        v.set("first");
        const context kept = copy_context();
        v.set("second");
        const task<> child = create_task(expects_then_sets(v, "first", "child's"), kept);
        co_await child;
        EXPECT_EQ(v.get(kept), "child's");
        EXPECT_EQ(v.get(), "second");
        const task<> next = create_task(expects_then_sets(v, "child's", "next"), kept);
        co_await next;
    };
    run(body());
}

TEST_P(context_test, conformance_041_a_set_can_be_taken_back) {
    variable v("colour");
    auto body = [&]() -> coro<> {
        EXPECT_THROW(v.get(), std::out_of_range);
        const auto none = v.set("red");
        const auto red = v.set("green");
        v.reset(red);
        EXPECT_EQ(v.get(), "red");
        v.reset(none);
        EXPECT_THROW(v.get(), std::out_of_range);
        co_return;
    };
    run(body());
}

TEST_P(context_test, the_main_task_inherits_from_its_thread) {
    variable v("v", "nothing");
    const auto before = v.set("thread's");
    run(expects_then_sets(v, "thread's", "main's"));
    EXPECT_EQ(v.get(), "thread's");
    v.reset(before);
}

}  // namespace

TEST_P(context_test, a_function_is_run_in_a_given_context) {
    static context_var<int> level("level", 0);
    auto reads = []() -> coro<int> { co_return level.get(); };
    auto body = [&]() -> coro<> {
        const context other = copy_context();
        level.set(1);
        task<int> made_inside;
        const int seen = other.run([&] {
            const int before = level.get();
            level.set(5);
            made_inside = create_task(reads());
            return before;
        });
        EXPECT_EQ(seen, 0);
        EXPECT_EQ(level.get(), 1);
        EXPECT_EQ(level.get(other), 5);
        const int inside = co_await made_inside;
        EXPECT_EQ(inside, 5);
    };
    run(body());
    const context outside = copy_context();
    outside.run([] { level.set(9); });
    EXPECT_EQ(level.get(), 0);
    EXPECT_EQ(level.get(outside), 9);
}

CROSSOVER_ON_EACH_BACK_END(context_test);

}  // namespace crossover::asyncio
