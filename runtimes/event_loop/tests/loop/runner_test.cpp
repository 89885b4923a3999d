// Tests of the runner: several main coroutines in one loop and one context.
#include <cstdlib>
#include <memory>

#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class runner_test : public on_each_back_end {};

coro<loop*> this_loop() { co_return &get_running_loop(); }

TEST_P(runner_test, runs_share_a_loop_which_close_closes) {
    runner r(options());
    loop* const first = r.run(this_loop());
    EXPECT_EQ(first, r.run(this_loop()));
    EXPECT_EQ(first, &r.get_loop());
    r.close();
    EXPECT_TRUE(first->is_closed());
    r.close();
    EXPECT_THROW(r.get_loop(), std::logic_error);
    EXPECT_THROW(r.run(this_loop()), std::logic_error);
}

TEST_P(runner_test, a_run_finds_what_the_one_before_it_set) {
    context_var<int> number("number", -1);
    const auto exchange = [](context_var<int>& v, int to) -> coro<int> {
        const int before = v.get();
        v.set(to);
        co_return before;
    };
    {
        runner r(options());
        EXPECT_EQ(-1, r.run(exchange(number, 1)));
        EXPECT_EQ(1, r.run(exchange(number, 2)));
        EXPECT_EQ(2, r.run(exchange(number, 3)));
    }
    EXPECT_EQ(-1, number.get()) << "the thread's own context is another";
}

TEST_P(runner_test, a_run_in_an_explicit_context_leaves_the_runners_own_alone) {
    context_var<int> number("number", -1);
    const auto exchange = [](context_var<int>& v, int to) -> coro<int> {
        const int before = v.get();
        v.set(to);
        co_await sleep(0ns);
        EXPECT_EQ(to, v.get());
        co_return before;
    };
    runner r(options());
    EXPECT_EQ(-1, r.run(exchange(number, 1)));
    const context other = copy_context();
    EXPECT_EQ(-1, r.run(exchange(number, 10), other));
    EXPECT_EQ(10, number.get(other));
    EXPECT_EQ(10, r.run(exchange(number, 11), other));
    EXPECT_EQ(1, r.run(exchange(number, 2))) << "the runner's own";
    EXPECT_EQ(-1, number.get());
}

TEST_P(runner_test, a_value_that_can_only_be_moved_comes_out_of_a_run) {
    runner r(options());
    const auto made = r.run([]() -> coro<std::unique_ptr<int>> { co_return std::make_unique<int>(4); }());
    EXPECT_EQ(4, *made);
}

TEST_P(runner_test, tasks_go_on_in_the_next_run_and_close_cancels_them) {
    runner r(options());
    event go_on;
    bool passed = false;
    bool cancelled = false;
    const auto background = [](event& e, bool& p, bool& c) -> coro<> {
        co_await e.wait();
        p = true;
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            c = true;
            throw;
        }
    };
    const auto start = [](coro<> body) -> coro<> {
        static_cast<void>(create_task(std::move(body)));
        co_await sleep(0ns);
    };
    r.run(start(background(go_on, passed, cancelled)));
    EXPECT_FALSE(passed);
    go_on.set();
    r.run([]() -> coro<> { co_await sleep(0ns); }());
    EXPECT_TRUE(passed);
    EXPECT_FALSE(cancelled);
    r.close();
    EXPECT_TRUE(cancelled);
}

TEST_P(runner_test, an_exception_of_main_comes_out_and_the_runner_goes_on) {
    runner r(options());
    EXPECT_THROW(r.run([]() -> coro<> {
        throw std::out_of_range("main");
        co_return;
    }()),
                 std::out_of_range);
    EXPECT_NE(r.run(this_loop()), nullptr);
}

TEST_P(runner_test, a_run_inside_a_running_loop_is_refused) {
    runner r(options());
    r.run([](runner& same) -> coro<> {
        EXPECT_THROW(same.run(this_loop()), std::logic_error);
        co_return;
    }(r));
}

class stop_everything final : public loop_exit {};

TEST_P(runner_test, a_loop_exit_during_the_clean_up_comes_out_of_run) {
    const auto leaves_it = []() -> coro<> {
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
        }
        throw stop_everything();
    };
    EXPECT_THROW(run([](coro<> body) -> coro<> {
                     static_cast<void>(create_task(std::move(body)));
                     co_await sleep(0ns);
                 }(leaves_it())),
                 stop_everything);
}

CROSSOVER_ON_EACH_BACK_END(runner_test);

}  // namespace
}  // namespace crossover::asyncio
