// eager_task_factory: tasks that run at once up to their first wait, whoever makes them.
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class eager_start_test : public on_each_back_end {
  protected:
    // In a loop whose tasks start eagerly.
    template <class T>
    T run_eagerly(coro<T> main) {
        loop l(options());
        l.set_task_factory(eager_task_factory);
        EXPECT_TRUE(l.get_task_factory());
        return l.run_until_complete(std::move(main));
    }
};

coro<int> nine() { co_return 9; }
coro<> set_it(future<int> f) {
    f.set_result(3);
    co_return;
}

TEST_P(eager_start_test, a_task_that_never_waits_is_done_on_return_and_cannot_be_cancelled_any_more) {
    run_eagerly([]() -> coro<> {
        const std::uint64_t before = get_running_loop().iterations();
        const task<int> t = create_task(nine(), "named");
        EXPECT_TRUE(t.done());
        EXPECT_EQ(t.name(), "named");
        EXPECT_FALSE(t.cancel());
        const int got = co_await t;
        EXPECT_EQ(got, 9);
        EXPECT_EQ(get_running_loop().iterations(), before) << "it never was in the ready queue";
        future<int> f(get_running_loop());
        const task<> setting = create_task(set_it(f));
        EXPECT_TRUE(setting.done());
        const int set = co_await f;
        EXPECT_EQ(set, 3);
    }());
}

TEST_P(eager_start_test, a_task_that_waits_goes_on_as_any_other) {
    run_eagerly([]() -> coro<> {
        any_task inside;
        auto waits = [&]() -> coro<int> {
            inside = current_task();
            co_await sleep(100us);
            EXPECT_EQ(current_task(), inside);
            co_return 4;
        };
        const any_task outside = current_task();
        const task<int> t = create_task(waits());
        EXPECT_FALSE(t.done());
        EXPECT_EQ(inside, t);
        EXPECT_EQ(current_task(), outside);
        EXPECT_EQ(all_tasks().size(), 2u);
        const int got = co_await t;
        EXPECT_EQ(got, 4);
        EXPECT_EQ(all_tasks().size(), 1u);
    }());
}

TEST_P(eager_start_test, a_cancel_after_the_eager_part_reaches_the_first_wait) {
    run_eagerly([]() -> coro<> {
        const task<int> t = create_task(sleeps(1h, 1));
        EXPECT_TRUE(t.cancel("enough"));
        EXPECT_EQ(t.cancelling(), 1u);
        std::string message;
        try {
            static_cast<void>(co_await t);
        } catch (const cancelled_error& e) {
            message = e.message();
        }
        EXPECT_EQ(message, "enough");
    }());
}

TEST_P(eager_start_test, a_task_can_cancel_itself_and_its_maker_in_the_eager_part) {
    run_eagerly([]() -> coro<> {
        auto cancels_itself = []() -> coro<> {
            current_task().cancel();
            co_return;
        };
        const task<> t = create_task(cancels_itself());
        EXPECT_TRUE(t.cancelled());
        const any_task maker = current_task();
        auto cancels_its_maker = [&]() -> coro<> {
            maker.cancel();
            co_return;
        };
        const task<> other = create_task(cancels_its_maker());
        EXPECT_TRUE(other.done());
        EXPECT_FALSE(other.cancelled());
        bool arrived = false;
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            arrived = true;
        }
        EXPECT_TRUE(arrived);
        EXPECT_EQ(maker.uncancel(), 0u);
    }());
}

TEST_P(eager_start_test, a_task_has_its_own_copy_of_its_makers_context_or_the_one_it_is_given) {
    static context_var<int> v("v", 0);
    run_eagerly([]() -> coro<> {
        v.set(1);
        auto body = []() -> coro<int> {
            const int found = v.get();
            v.set(found + 1);
            co_await sleep(0ns);
            co_return found * 10 + v.get();
        };
        const task<int> copied = create_task(body());
        EXPECT_EQ(v.get(), 1);
        context given;
        const task<int> in_given = create_task(body(), given);
        EXPECT_EQ(v.get(given), 1);
        const int a = co_await copied;
        const int b = co_await in_given;
        EXPECT_EQ(a, 12);
        EXPECT_EQ(b, 1);
        EXPECT_EQ(v.get(), 1);
    }());
}

TEST_P(eager_start_test, before_the_loop_runs_tasks_are_queued) {
    loop l(options());
    l.set_task_factory(eager_task_factory);
    const task<int> t = l.create_task(nine());
    EXPECT_FALSE(t.done());
    EXPECT_EQ(l.run_until_complete(t), 9);
}

coro<int> tree_of_gathers(int depth) {
    if (depth == 0) co_return 1;
    std::vector<coro<int>> children;
    children.reserve(5);
    for (int i = 0; i < 5; ++i) children.push_back(tree_of_gathers(depth - 1));
    const std::vector<int> below = co_await gather(std::move(children));
    int sum = 1;
    for (const int n : below) sum += n;
    co_return sum;
}

TEST_P(eager_start_test, conformance_044_a_tree_of_gathers_needs_no_iteration) {
    run_eagerly([]() -> coro<> {
        const std::uint64_t before = get_running_loop().iterations();
        const int tasks = co_await tree_of_gathers(4);
        EXPECT_EQ(tasks, 781);
        EXPECT_EQ(get_running_loop().iterations(), before);
    }());
}

coro<> tree_of_groups(int depth, int& made) {
    ++made;
    if (depth == 0) co_return;
    auto body = [&](task_group& g) -> coro<> {
        for (int i = 0; i < 5; ++i) {
            const task<> child = g.create_task(tree_of_groups(depth - 1, made));
            EXPECT_EQ(child.done(), depth == 1) << "only a group that waits for its children waits";
        }
        co_return;
    };
    task_group group;
    co_await with(group, body);
}

TEST_P(eager_start_test, conformance_044_a_tree_of_groups_starts_all_its_tasks_at_once) {
    run_eagerly([]() -> coro<> {
        int made = 0;
        const task<> all = create_task(tree_of_groups(4, made));
        EXPECT_EQ(made, 781);
        co_await all;
    }());
}

TEST_P(eager_start_test,
       a_child_that_fails_in_its_eager_part_does_not_cancel_the_body_before_its_next_await) {
    run_eagerly([]() -> coro<> {
        log seen;
        auto fails = []() -> coro<> {
            throw std::runtime_error("at once");
            co_return;
        };
        auto body = [&](task_group& g) -> coro<> {
            const task<> first = g.create_task(fails());
            EXPECT_TRUE(first.done());
            const task<int> second = g.create_task(sleeps(1h, 1));
            seen.push_back("still there");
            co_await sleep(1h);
        };
        task_group group;
        std::size_t failures = 0;
        try {
            co_await with(group, body);
        } catch (const exception_group& e) {
            failures = e.exceptions().size();
        }
        EXPECT_EQ(failures, 1u);
        EXPECT_EQ(seen, log{"still there"});
        EXPECT_EQ(current_task().cancelling(), 0u);
    }());
}

TEST_P(eager_start_test,
       an_exception_of_the_eager_part_stays_in_the_task_and_a_loop_exit_comes_out_of_create_task) {
    loop l(options());
    l.set_task_factory(eager_task_factory);
    auto body = []() -> coro<> {
        auto fails = []() -> coro<> {
            throw std::runtime_error("kept");
            co_return;
        };
        const task<> t = create_task(fails());
        EXPECT_TRUE(t.done());
        EXPECT_NE(t.exception(), nullptr);
        auto leaves = []() -> coro<> {
            throw loop_exit();
            co_return;
        };
        bool came_out = false;
        try {
            const task<> never = create_task(leaves());
        } catch (const loop_exit&) {
            came_out = true;
        }
        EXPECT_TRUE(came_out);
        co_return;
    };
    log reports;
    l.set_exception_handler([&](loop&, const error_report& r) { reports.push_back(r.message); });
    l.run_until_complete(body());
    EXPECT_EQ(reports, log{"Task exception was never retrieved"}) << "nobody holds the task that left";
}

CROSSOVER_ON_EACH_BACK_END(eager_start_test);

}  // namespace
}  // namespace crossover::asyncio
