// run_coroutine_threadsafe and wrap_future: results that go from thread to thread.
#include "runtimes/event_loop/executors/concurrent_future.hpp"

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class concurrent_future_test : public on_each_back_end {};

TEST_P(concurrent_future_test, conformance_031_wrap_future_brings_result_and_exception) {
    concurrent_promise<int> given;
    concurrent_promise<> failed;
    concurrent_promise<std::unique_ptr<int>> only_movable;
    auto body = [&]() -> coro<> {
        const future<int> a = wrap_future(given.get_future());
        const future<> b = wrap_future(failed.get_future());
        future<std::unique_ptr<int>> c = wrap_future(only_movable.get_future());
        EXPECT_FALSE(a.done());
        std::thread other([&] {
            given.set_result(4);
            failed.set_exception(std::make_exception_ptr(std::out_of_range("there")));
            only_movable.set_result(std::make_unique<int>(5));
        });
        const int got = co_await a;
        EXPECT_EQ(got, 4);
        co_await until_done(b);
        EXPECT_THROW(b.result(), std::out_of_range);
        const std::unique_ptr<int> moved = co_await std::move(c);
        EXPECT_EQ(*moved, 5);
        other.join();
        const future<int> late = wrap_future(given.get_future());
        const int again = co_await late;
        EXPECT_EQ(again, 4);
    };
    run(body());
}

TEST_P(concurrent_future_test, conformance_031_cancel_reaches_the_other_side_if_it_can) {
    concurrent_promise<int> open;
    concurrent_promise<int> begun;
    concurrent_promise<int> done;
    concurrent_promise<int> cancelled;
    EXPECT_TRUE(begun.set_running());
    auto body = [&]() -> coro<> {
        const future<int> a = wrap_future(open.get_future());
        const future<int> b = wrap_future(begun.get_future());
        const future<int> c = wrap_future(done.get_future());
        const future<int> d = wrap_future(cancelled.get_future());
        EXPECT_TRUE(a.cancel());
        EXPECT_TRUE(b.cancel());
        EXPECT_TRUE(c.cancel());
        EXPECT_TRUE(done.set_result(7));
        EXPECT_TRUE(cancelled.get_future().cancel());
        co_await until_done(d);
        EXPECT_TRUE(d.cancelled());
        co_await sleep(0ns);
        co_await sleep(0ns);
    };
    run(body());
    EXPECT_TRUE(open.get_future().cancelled());
    EXPECT_FALSE(open.set_result(1));
    EXPECT_FALSE(begun.get_future().done());
    EXPECT_TRUE(begun.set_result(2));
    EXPECT_EQ(begun.get_future().result(), 2);
    EXPECT_EQ(done.get_future().result(), 7);
}

coro<int> add(int a, int b, bool fail, bool hang) {
    co_await sleep(1ms);
    if (fail) throw std::runtime_error("Fail!");
    if (hang) co_await sleep(1h);
    co_return a + b;
}

// Runs `body` in another thread while the loop serves it.
template <class F>
coro<> beside_the_loop(F body) {
    auto call = to_thread(std::move(body), std::ref(get_running_loop()));
    co_await call;
}

TEST_P(concurrent_future_test, conformance_126_result_and_exception_travel_to_the_other_thread) {
    run(beside_the_loop([](loop& l) {
        EXPECT_EQ(3, run_coroutine_threadsafe(add(1, 2, false, false), l).result());
        auto failing = run_coroutine_threadsafe(add(1, 2, true, false), l);
        EXPECT_THROW(failing.result(), std::runtime_error);
        EXPECT_TRUE(failing.done());
        EXPECT_NE(nullptr, failing.exception());
    }));
}

TEST_P(concurrent_future_test, conformance_126_a_timeout_in_the_other_thread_can_cancel_the_coroutine) {
    run([]() -> coro<> {
        co_await beside_the_loop([](loop& l) {
            auto f = run_coroutine_threadsafe(add(1, 2, false, true), l);
            EXPECT_THROW(f.result(5ms), timeout_error);
            EXPECT_FALSE(f.done());
            EXPECT_TRUE(f.cancel());
            EXPECT_FALSE(f.cancel());
            EXPECT_THROW(f.result(), cancelled_error);
        });
        co_await sleep(0ns);
        co_await sleep(0ns);
        EXPECT_EQ(1u, all_tasks().size()) << "the coroutine has ended";
    }());
}

TEST_P(concurrent_future_test, conformance_126_a_cancelled_task_cancels_the_other_threads_future) {
    run(beside_the_loop([](loop& l) {
        auto f = run_coroutine_threadsafe(
            []() -> coro<int> {
                current_task().cancel();
                co_await sleep(1h);
                co_return 1;
            }(),
            l);
        EXPECT_THROW(f.result(), cancelled_error);
        EXPECT_TRUE(f.cancelled());
    }));
}

TEST_P(concurrent_future_test, conformance_126_a_loop_that_closes_cancels_the_other_threads_future) {
    auto l = std::make_unique<loop>(options());
    auto f = run_coroutine_threadsafe(add(1, 2, false, false), *l);
    EXPECT_FALSE(f.done());
    l->close();
    EXPECT_TRUE(f.cancelled());
}

TEST_P(concurrent_future_test, many_threads_and_one_loop_lose_no_call) {
    run([]() -> coro<> {
        std::vector<task<>> callers;
        for (int i = 0; i < 4; ++i) {
            auto caller = beside_the_loop([](loop& l) {
                for (int k = 0; k < 200; ++k) {
                    auto echo = [](int n) -> coro<int> { co_return n; };
                    EXPECT_EQ(k, run_coroutine_threadsafe(echo(k), l).result());
                }
            });
            callers.push_back(create_task(std::move(caller)));
        }
        for (auto& c : callers) co_await c;
    }());
}

CROSSOVER_ON_EACH_BACK_END(concurrent_future_test);

TEST_P(concurrent_future_test, patience_of_centuries_does_not_run_out_at_once) {
    run([]() -> coro<> {
        const auto patient = [](loop& l) {
            const auto late = []() -> coro<int> {
                co_await sleep(5ms);
                co_return 5;
            };
            return run_coroutine_threadsafe(late(), l).result(std::chrono::nanoseconds::max() - 1h);
        };
        const int result = co_await to_thread(patient, std::ref(get_running_loop()));
        EXPECT_EQ(5, result);
    }());
}

}  // namespace
}  // namespace crossover::asyncio
