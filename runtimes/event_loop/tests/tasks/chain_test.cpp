// Long chains and circles of tasks and coroutines: no cancel and no destruction may nest as deep as they are.
#include <memory>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/tasks/nothrow_cancel.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class chain : public on_each_back_end {};

constexpr int deep = 100'000;

coro<> await_another(const task<>& other) { co_await other; }
coro<> await_gathered(const task<>& other) { co_await gather(other); }

// Makes a task that awaits the next one, and so on; the last sleeps.
coro<> link_tasks(int left, event& all_there) {
    if (left == 0) {
        all_there.set();
        co_await sleep(1h);
    } else {
        const task<> next = create_task(link_tasks(left - 1, all_there));
        co_await next;
    }
}

TEST_P(chain, of_two_tasks_that_await_each_other_cancelling_one_ends_both) {
    run([]() -> coro<> {
        task<> a;
        task<> b;
        a = create_task(await_another(b));
        b = create_task(await_another(a));
        co_await sleep(0ns);
        EXPECT_TRUE(a.cancel("enough"));
        EXPECT_EQ(a.cancelling(), 1u);
        EXPECT_EQ(b.cancelling(), 1u);
        co_await until_done(a);
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(b.cancelled());
    }());
}

TEST_P(chain, a_circle_that_the_cancelled_task_only_leads_to_is_cut) {
    run([]() -> coro<> {
        task<> a;
        task<> b;
        a = create_task(await_another(b));
        b = create_task(await_another(a));
        const task<> outside = create_task(await_another(a));
        co_await sleep(0ns);
        outside.cancel();
        co_await until_done(outside);
        EXPECT_TRUE(outside.cancelled());
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(b.cancelled());
    }());
}

TEST_P(chain, a_circle_through_gathers_is_cut) {
    run([]() -> coro<> {
        task<> a;
        task<> b;
        a = create_task(await_gathered(b));
        b = create_task(await_gathered(a));
        co_await sleep(0ns);
        b.cancel();
        co_await until_done(b);
        co_await until_done(a);
        EXPECT_TRUE(a.cancelled());
        EXPECT_TRUE(b.cancelled());
    }());
}

TEST_P(chain, a_circle_left_at_the_end_of_run_does_not_hold_it_up) {
    task<> a;
    task<> b;
    run([](task<>& first, task<>& second) -> coro<> {
        first = create_task(await_another(second));
        second = create_task(await_another(first));
        co_await sleep(0ns);
    }(a, b));
    EXPECT_TRUE(a.cancelled());
    EXPECT_TRUE(b.cancelled());
}

TEST_P(chain, a_cancel_goes_down_a_hundred_thousand_tasks) {
    run([]() -> coro<> {
        event all_there;
        const task<> first = create_task(link_tasks(deep, all_there));
        co_await all_there.wait();
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        EXPECT_EQ(all_tasks().size(), 1u);
    }());
}

TEST_P(chain, a_hundred_thousand_tasks_left_at_the_end_of_run_are_gone_through_once) {
    event all_there;
    const task<> first = run([](event& there) -> coro<task<>> {
        task<> made = create_task(link_tasks(deep, there));
        co_await there.wait();
        co_return made;
    }(all_there));
    EXPECT_TRUE(first.cancelled());
}

coro<> gather_below(int left, event& all_there) {
    if (left == 0) {
        all_there.set();
        co_await sleep(1h);
    } else {
        co_await gather(gather_below(left - 1, all_there));
    }
}

TEST_P(chain, a_cancel_goes_down_a_hundred_thousand_gathers) {
    run([]() -> coro<> {
        event all_there;
        const task<> first = create_task(gather_below(deep, all_there));
        co_await all_there.wait();
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
    }());
}

TEST_P(chain, children_of_nested_gathers_are_cancelled_in_the_order_of_nesting) {
    log seen;
    run([](log& l) -> coro<> {
        const auto leaf = [](log& to, std::string name) -> coro<> {
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
                to.push_back(name);
                throw;
            }
        };
        const auto inner = gather(leaf(l, "a"), leaf(l, "b"));
        const auto outer = gather(inner, leaf(l, "c"));
        co_await sleep(0ns);
        outer.cancel();
        co_await until_done(outer);
        EXPECT_NE(outer.exception(), nullptr);
    }(seen));
    EXPECT_EQ(seen, (log{"a", "b", "c"}));
}

struct depth_count {
    explicit depth_count(std::vector<int>& t, int d) : to(t), depth(d) {}
    depth_count(const depth_count&) = delete;
    depth_count& operator=(const depth_count&) = delete;
    ~depth_count() { to.push_back(depth); }
    std::vector<int>& to;
    int depth;
};

coro<std::string> wait_below(int left, std::vector<int>& ended) {
    const depth_count here(ended, left);
    if (left == 0) co_await sleep(1h);
    if (left != 0) static_cast<void>(co_await wait_below(left - 1, ended));
    co_return "never";
}
coro<> wait_below(nothrow_cancel_t, int left, std::vector<int>& ended) {
    const depth_count here(ended, left);
    if (left == 0)
        co_await sleep(1h);
    else
        co_await wait_below(nothrow_cancel, left - 1, ended);
}

void expect_innermost_first(const std::vector<int>& ended) {
    ASSERT_EQ(ended.size(), static_cast<std::size_t>(deep) + 1);
    for (int i = 0; i <= deep; ++i) ASSERT_EQ(ended[static_cast<std::size_t>(i)], i);
}

TEST_P(chain, a_loop_that_goes_destroys_a_hundred_thousand_waiting_frames_innermost_first) {
    std::vector<int> ended;
    {
        loop l(options());
        l.set_exception_handler([](loop&, const error_report&) {});
        const task<std::string> t = l.create_task(wait_below(deep, ended));
        l.call_soon([&l] { l.stop(); });
        l.run_forever();
    }
    expect_innermost_first(ended);
}

TEST_P(chain, a_hundred_thousand_frames_are_cancelled_without_a_throw) {
    std::vector<int> ended;
    run([](std::vector<int>& e) -> coro<> {
        const task<> t = create_task(wait_below(nothrow_cancel, deep, e));
        co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
    }(ended));
    expect_innermost_first(ended);
}

TEST_P(chain, an_ordinary_caller_catches_what_ended_a_hundred_thousand_frames_below_it) {
    std::vector<int> ended;
    run([](std::vector<int>& e) -> coro<> {
        const auto body = [](std::vector<int>& to) -> coro<int> {
            int caught = 0;
            try {
                co_await wait_below(nothrow_cancel, deep, to);
            } catch (const cancelled_error&) {
                caught = 1;
            }
            co_return caught;
        };
        const task<int> t = create_task(body(e));
        co_await sleep(0ns);
        t.cancel();
        EXPECT_EQ(co_await t, 1);
    }(ended));
    expect_innermost_first(ended);
}

coro<int> start_below(int left) {
    if (left == 0) co_return 0;
    const task<int> next = create_eager_task(start_below(left - 1));
    const int below = co_await next;
    co_return below + 1;
}

TEST_P(chain, a_hundred_thousand_eager_starts_within_one_another_need_no_stack) {
    EXPECT_EQ(run(start_below(deep)), deep);
}

coro<int> one_more(coro<int> inner) {
    const int below = co_await inner;
    co_return below + 1;
}
coro<int> nothing() { co_return 0; }
coro<int> nested(int levels) {
    coro<int> all = nothing();
    for (int i = 0; i < levels; ++i) all = one_more(std::move(all));
    return all;
}

TEST_P(chain, a_hundred_thousand_coroutines_that_own_one_another_are_destroyed_begun_or_not) {
    EXPECT_EQ(run(nested(deep)), deep);
    { const coro<int> never_begun = nested(deep); }
    run([]() -> coro<> {
        const task<int> t = create_task(nested(deep));
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
    }());
}

CROSSOVER_ON_EACH_BACK_END(chain);

}  // namespace
}  // namespace crossover::asyncio
