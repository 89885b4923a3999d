// Tasks: creation, steps, names, failures, eager start, and run().
#include "runtimes/event_loop/tasks/task.hpp"

#include <algorithm>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class task_test : public on_each_back_end {};

coro<> note(log& seen, std::string what) {
    seen.push_back(what);
    co_return;
}

TEST_P(task_test, conformance_032_create_task_does_not_run_the_body) {
    log seen;
    auto body = [&]() -> coro<> {
        task<> a = create_task(note(seen, "a"));
        get_running_loop().call_soon([&] { seen.push_back("callback"); });
        task<> b = create_task(note(seen, "b"));
        EXPECT_TRUE(seen.empty());
        co_await b;
        EXPECT_TRUE(a.done());
    };
    run(body());
    EXPECT_EQ(seen, (log{"a", "callback", "b"}));
}

coro<> knows_itself(const task<>& self, int steps) {
    for (int i = 0; i < steps; ++i) {
        EXPECT_TRUE(current_task() == self);
        co_await sleep(0ns);
    }
}

TEST_P(task_test, conformance_033_current_task_is_right_across_interleaving) {
    EXPECT_FALSE(current_task());
    auto body = [&]() -> coro<> {
        task<> a, b;
        a = create_task(knows_itself(a, 5));
        b = create_task(knows_itself(b, 3));
        get_running_loop().call_soon([] { EXPECT_FALSE(current_task()) << "a callback is no task"; });
        co_await a;
        co_await b;
    };
    run(body());
    EXPECT_FALSE(current_task());
}

TEST_P(task_test, conformance_034_all_tasks_lists_what_is_not_done_in_this_loop) {
    loop other(options());
    log seen;
    task<> foreign = other.create_task(note(seen, "foreign"));
    auto body = [&]() -> coro<> {
        const any_task self = current_task();
        task<> a = create_task(note(seen, "a"));
        const std::vector<any_task> all = all_tasks();
        EXPECT_EQ(all.size(), 2u);
        EXPECT_NE(std::find(all.begin(), all.end(), self), all.end());
        EXPECT_NE(std::find(all.begin(), all.end(), any_task(a)), all.end());
        co_await a;
        EXPECT_EQ(all_tasks().size(), 1u);
    };
    run(body());
    EXPECT_EQ(all_tasks(other).size(), 1u);
    other.run_until_complete(foreign);
}

coro<> fails() {
    co_await sleep(0ns);
    throw std::runtime_error("the one");
}

TEST_P(task_test, conformance_035_every_awaiter_gets_the_same_exception_object) {
    std::vector<const void*> objects;
    auto awaiter = [&](task<> t) -> coro<> {
        try {
            co_await t;
        } catch (const std::runtime_error& e) {
            objects.push_back(&e);
        }
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(fails());
        task<> a = create_task(awaiter(t));
        task<> b = create_task(awaiter(t));
        co_await a;
        co_await b;
    };
    run(body());
    ASSERT_EQ(objects.size(), 2u);
    EXPECT_EQ(objects[0], objects[1]);
}

TEST_P(task_test, conformance_037_awaiting_a_future_of_another_loop_is_an_error_in_the_task) {
    loop other(options());
    future<> foreign = other.create_future<void>();
    auto body = [&]() -> coro<> { co_await foreign; };
    EXPECT_THROW(run(body()), std::logic_error);
}

TEST_P(task_test, a_task_that_awaits_itself_gets_an_error) {
    task<> self;
    auto body = [&]() -> coro<> { co_await self; };
    auto main = [&]() -> coro<> {
        self = create_task(body());
        co_await until_done(self);
        EXPECT_THROW(self.result(), std::logic_error);
    };
    run(main());
}

template <class Task>
concept settable = requires(Task t) {
    t.set_result(1);
}
|| requires(Task t) { t.set_exception(std::exception_ptr()); };

TEST_P(task_test, conformance_038_a_result_cannot_be_set_on_a_task) {
    static_assert(!settable<task<int>>);
    static_assert(settable<future<int>>);
}

TEST_P(task_test, conformance_039_names_are_numbered_or_given) {
    auto nothing = []() -> coro<> { co_return; };
    auto body = [&]() -> coro<> {
        task<> a = create_task(nothing());
        task<> b = create_task(nothing());
        task<> named = create_task(nothing(), "cleaner");
        const auto number = [](const task<>& t) { return std::stoi(t.name().substr(5)); };
        EXPECT_EQ(a.name().substr(0, 5), "Task-");
        EXPECT_LT(number(a), number(b));
        EXPECT_EQ(named.name(), "cleaner");
        b.set_name("other");
        EXPECT_EQ(b.name(), "other");
        co_await named;
        EXPECT_EQ(named.name(), "cleaner");
    };
    run(body());
}

TEST_P(task_test, conformance_040_a_pending_task_at_the_end_of_its_loop_is_reported_and_destroyed) {
    log reports;
    auto held = std::make_shared<int>(0);
    auto waits = [](std::shared_ptr<int> mine) -> coro<> {
        co_await sleep(1h);
        ++*mine;
    };
    {
        loop l(options());
        l.set_exception_handler(
            [&](loop&, const error_report& r) { reports.push_back(r.message + ": " + r.task); });
        task<> t = l.create_task(waits(held), "sleeper");
        l.stop();
        l.run_forever();
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(reports, log{"Task was destroyed but it is pending: sleeper"});
}

TEST_P(task_test, conformance_042_an_eager_task_runs_up_to_its_first_wait) {
    auto immediate = []() -> coro<int> { co_return 3; };
    auto waiting = [](log& seen) -> coro<> {
        seen.push_back("begun");
        co_await sleep(0ns);
        seen.push_back("ended");
    };
    log seen;
    auto body = [&]() -> coro<> {
        const any_task self = current_task();
        task<int> done = create_eager_task(immediate());
        EXPECT_TRUE(done.done());
        EXPECT_EQ(done.result(), 3);
        task<> t = create_eager_task(waiting(seen));
        EXPECT_TRUE(current_task() == self);
        EXPECT_EQ(seen, log{"begun"});
        EXPECT_FALSE(t.done());
        co_await t;
        EXPECT_EQ(seen, (log{"begun", "ended"}));
    };
    run(body());
}

coro<int> count_down(int depth, bool eager, int& queued) {
    if (depth == 0) co_return 1;
    std::vector<task<int>> children;
    const std::size_t before = all_tasks().size();
    for (int i = 0; i < 5; ++i) {
        if (eager)
            children.push_back(create_eager_task(count_down(depth - 1, eager, queued)));
        else
            children.push_back(create_task(count_down(depth - 1, eager, queued)));
    }
    queued += static_cast<int>(all_tasks().size() - before);
    int sum = 1;
    for (task<int>& child : children) sum += co_await child;
    co_return sum;
}

TEST_P(task_test, conformance_044_a_tree_of_tasks_counts_781_and_an_eager_one_queues_none) {
    for (bool eager : {false, true}) {
        int queued = 0;
        EXPECT_EQ(run(count_down(4, eager, queued)), 781);
        EXPECT_EQ(queued, eager ? 0 : 780);
    }
}

coro<int> chain(int depth, std::size_t& tasks) {
    tasks = std::max(tasks, all_tasks().size());
    if (depth == 0) co_return 0;
    const int below = co_await chain(depth - 1, tasks);
    co_return below + 1;
}

TEST_P(task_test, conformance_044_a_chain_of_plain_awaits_makes_no_task) {
    std::size_t tasks = 0;
    EXPECT_EQ(run(chain(100, tasks)), 100);
    EXPECT_EQ(tasks, 1u);
}

TEST_P(task_test, a_deep_recursion_and_a_long_loop_of_awaits_need_no_stack) {
    std::size_t tasks = 0;
    EXPECT_EQ(run(chain(100'000, tasks)), 100'000);
    auto one = []() -> coro<int> { co_return 1; };
    auto body = [&]() -> coro<int> {
        int sum = 0;
        for (int i = 0; i < 1'000'000; ++i) sum += co_await one();
        co_return sum;
    };
    EXPECT_EQ(run(body()), 1'000'000);
}

TEST_P(task_test, a_coroutine_can_be_awaited_once) {
    auto one = []() -> coro<int> { co_return 1; };
    auto body = [&]() -> coro<> {
        coro<int> c = one();
        const auto got1 = co_await c;
        EXPECT_EQ(got1, 1);
        bool refused = false;
        try {
            co_await c;
        } catch (const std::logic_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    };
    run(body());
}

TEST_P(task_test, the_parameters_of_a_finished_task_are_gone_though_its_result_is_held) {
    auto held = std::make_shared<int>(4);
    auto takes = [](std::shared_ptr<int> mine) -> coro<int> { co_return *mine; };
    auto body = [&]() -> coro<> {
        task<int> t = create_task(takes(held));
        EXPECT_EQ(held.use_count(), 2);
        const auto got2 = co_await t;
        EXPECT_EQ(got2, 4);
        EXPECT_EQ(held.use_count(), 1);
    };
    run(body());
}

TEST_P(task_test, conformance_133_run_returns_or_throws_and_cancels_what_is_left) {
    log seen;
    auto left = [&]() -> coro<> {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            seen.push_back("cancelled");
            throw;
        }
    };
    auto body = [&](bool fail) -> coro<int> {
        static_cast<void>(create_task(left()));
        co_await sleep(0ns);
        if (fail) throw std::out_of_range("main");
        co_return 9;
    };
    EXPECT_EQ(run(body(false)), 9);
    EXPECT_THROW(run(body(true)), std::out_of_range);
    EXPECT_EQ(seen, (log{"cancelled", "cancelled"}));
}

TEST_P(task_test, conformance_134_exceptions_of_leftovers_are_reported_not_thrown) {
    log reports;
    auto left = []() -> coro<> {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
        }
        throw std::runtime_error("while ending");
    };
    auto body = [&]() -> coro<int> {
        get_running_loop().set_exception_handler(
            [&](loop&, const error_report& r) { reports.push_back(r.message); });
        static_cast<void>(create_task(left()));
        co_await sleep(0ns);
        co_return 1;
    };
    EXPECT_EQ(run(body()), 1);
    EXPECT_EQ(reports, log{"unhandled exception during run() shutdown"});
}

TEST_P(task_test, conformance_135_run_inside_a_running_loop_throws) {
    auto inner = []() -> coro<> { co_return; };
    auto body = [&]() -> coro<> {
        EXPECT_THROW(asyncio::run(inner()), std::logic_error);
        co_return;
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(task_test);

}  // namespace
}  // namespace crossover::asyncio
