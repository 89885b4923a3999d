// Calls in other threads.
#include "runtimes/event_loop/executors/thread_executor.hpp"

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "runtimes/event_loop/executors/concurrent_future.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class thread_executor_test : public on_each_back_end {};

TEST_P(thread_executor_test, conformance_125_to_thread_copies_the_context) {
    static context_var<int> number("number", 0);
    auto body = [&]() -> coro<> {
        number.set(3);
        const int seen = co_await to_thread([] {
            const int got = number.get();
            number.set(100);
            return got;
        });
        EXPECT_EQ(seen, 3);
        EXPECT_EQ(number.get(), 3);
        // The thread itself was left as it was.
        const int in_executor = co_await run_in_executor(get_running_loop().use<default_executor>().get(),
                                                         [] { return number.get(); });
        EXPECT_EQ(in_executor, 0);
    };
    run(body());
}

TEST_P(thread_executor_test, a_result_that_comes_after_its_loop_has_gone_is_dropped) {
    auto promise = std::make_unique<concurrent_promise<int>>();
    auto body = [&]() -> coro<> {
        static_cast<void>(wrap_future(promise->get_future()));
        co_return;
    };
    run(body());
    EXPECT_TRUE(promise->set_result(1));
    EXPECT_EQ(promise->get_future().result(), 1);
    promise = std::make_unique<concurrent_promise<int>>();
    const concurrent_future<int> abandoned = promise->get_future();
    promise = nullptr;
    EXPECT_TRUE(abandoned.cancelled()) << "nobody is left who could bring a result";
}

CROSSOVER_ON_EACH_BACK_END(thread_executor_test);

using thread_id = std::thread::id;

TEST_P(thread_executor_test,
       conformance_123_run_in_executor_calls_on_another_thread_and_resumes_on_the_loops) {
    run([]() -> coro<> {
        thread_executor executor(2);
        const thread_id here = std::this_thread::get_id();
        future<thread_id> call = run_in_executor(executor, [] { return std::this_thread::get_id(); });
        EXPECT_FALSE(call.done()) << "it comes through the loop's queue";
        const thread_id there = co_await call;
        EXPECT_NE(here, there);
        EXPECT_EQ(here, std::this_thread::get_id());
    }());
}

TEST_P(thread_executor_test, conformance_123_exceptions_come_back) {
    run([]() -> coro<> {
        auto failing =
            to_thread([](int n) -> int { throw std::runtime_error("failed " + std::to_string(n)); }, 7);
        std::string what;
        try {
            co_await failing;
        } catch (const std::runtime_error& e) {
            what = e.what();
        }
        EXPECT_EQ("failed 7", what);
    }());
}

TEST_P(thread_executor_test, conformance_123_arguments_and_results_may_be_only_movable) {
    const int n = run([]() -> coro<int> {
        auto call = to_thread([](std::unique_ptr<int> p) { return p; }, std::make_unique<int>(3));
        const std::unique_ptr<int> back = co_await call;
        co_return *back;
    }());
    EXPECT_EQ(3, n);
}

TEST_P(thread_executor_test, conformance_125_to_thread_makes_calls_at_the_same_time) {
    run([]() -> coro<> {
        std::latch all_there(3);
        std::vector<task<>> calls;
        for (int i = 0; i < 3; ++i) {
            auto call = to_thread([&all_there] { all_there.arrive_and_wait(); });
            calls.push_back(create_task(std::move(call)));
        }
        for (auto& c : calls) co_await c;
    }());
}

TEST_P(thread_executor_test, a_loop_goes_on_ticking_under_a_blocking_call) {
    const int ticks = run([]() -> coro<int> {
        auto body = [](std::atomic<int>& n) -> coro<> {
            for (;; ++n) co_await sleep(1ms);
        };
        std::atomic<int> n = 0;
        auto ticker = create_task(body(n));
        // Blocks until the loop has ticked, which it would never do if the call held it up.
        auto call = to_thread([&n] {
            for (int ms = 0; n < 5 && ms < 10'000; ++ms) std::this_thread::sleep_for(1ms);
        });
        co_await call;
        ticker.cancel();
        co_return n.load();
    }());
    EXPECT_GE(ticks, 5);
}

TEST_P(thread_executor_test, a_call_that_has_not_begun_is_not_made_once_its_future_is_cancelled) {
    run([]() -> coro<> {
        thread_executor one(1);
        std::promise<void> go;
        std::atomic<int> made{0};
        auto busy = run_in_executor(one, [&go, &made] {
            go.get_future().wait();
            ++made;
        });
        auto queued = run_in_executor(one, [&made] { ++made; });
        auto last = run_in_executor(one, [&made] { ++made; });
        EXPECT_TRUE(queued.cancel());
        EXPECT_TRUE(queued.cancelled());
        go.set_value();
        co_await busy;
        co_await last;
        EXPECT_EQ(2, made.load());
    }());
}

TEST_P(thread_executor_test, conformance_132_shutdown_cancels_the_queued_and_finishes_the_running) {
    run([]() -> coro<> {
        thread_executor one(1);
        std::promise<void> begun, go;
        auto running = run_in_executor(one, [&] {
            begun.set_value();
            go.get_future().wait();
            return 1;
        });
        auto queued = run_in_executor(one, [] { return 2; });
        begun.get_future().wait();
        one.cancel_queued();
        go.set_value();
        EXPECT_TRUE(one.shutdown());
        EXPECT_THROW(static_cast<void>(run_in_executor(one, [] {})), std::runtime_error);
        const int first = co_await running;
        EXPECT_EQ(1, first);
        co_await until_done(queued);
        EXPECT_TRUE(queued.cancelled());
    }());
}

// A thread hands over its result before it waits again: until it sleeps.
coro<> until_asleep(pid_t thread) {
    const std::string file = "/proc/self/task/" + std::to_string(thread) + "/stat";
    for (;;) {
        std::string told;
        std::getline(std::ifstream(file), told);
        if (told.find(") S ") != std::string::npos) co_return;
        co_await sleep(1ms);
    }
}

TEST_P(thread_executor_test, conformance_130_idle_threads_are_used_again) {
    run([]() -> coro<> {
        thread_executor many(8);
        for (int i = 0; i < 20; ++i) {
            auto call = run_in_executor(many, [] { return ::gettid(); });
            const pid_t thread = co_await call;
            co_await until_asleep(thread);
        }
        EXPECT_EQ(many.threads(), 1U);
        std::vector<future<>> calls;
        calls.reserve(8);
        std::latch all_there(8);
        for (int i = 0; i < 8; ++i)
            calls.push_back(run_in_executor(many, [&all_there] { all_there.arrive_and_wait(); }));
        for (auto& c : calls) co_await c;
        EXPECT_EQ(8u, many.threads());
    }());
}

TEST_P(thread_executor_test, conformance_127_the_default_executor_is_waited_for_when_run_ends) {
    std::atomic<bool> ended{false};
    std::promise<void> begun;
    run([](std::atomic<bool>& flag, std::promise<void>& has_begun) -> coro<> {
        auto call = create_task(to_thread([&flag, &has_begun] {
            has_begun.set_value();
            std::this_thread::sleep_for(50ms);
            flag = true;
        }));
        co_await sleep(0ns);
        has_begun.get_future().wait();
    }(ended, begun));
    EXPECT_TRUE(ended.load());
}

TEST_P(thread_executor_test, conformance_127_once_the_default_executor_is_shut_down_calls_are_refused) {
    for (const bool used : {false, true}) {
        run([](bool call_first) -> coro<> {
            auto seven = [] { return 7; };
            if (call_first) {
                const int got = co_await to_thread(seven);
                EXPECT_EQ(got, 7);
            }
            co_await shutdown_default_executor();
            bool refused = false;
            try {
                static_cast<void>(co_await to_thread(seven));
            } catch (const std::runtime_error&) {
                refused = true;
            }
            EXPECT_TRUE(refused);
            co_await shutdown_default_executor();
        }(used));
    }
}

TEST_P(thread_executor_test, conformance_127_shutting_the_default_executor_down_warns_after_its_timeout) {
    log reports;
    std::promise<void> go;
    run([](log& reported, std::promise<void>& may_end) -> coro<> {
        get_running_loop().set_exception_handler(
            [&reported](loop&, const error_report& r) { reported.push_back(r.message); });
        auto call = create_task(to_thread([&may_end] { may_end.get_future().wait(); }));
        co_await sleep(0ns);
        co_await sleep(0ns);
        co_await shutdown_default_executor(10ms);
        EXPECT_EQ(1u, reported.size());
        may_end.set_value();
        co_await call;
    }(reports, go));
    EXPECT_EQ(log{"The default executor did not end its calls in time: its threads go on"}, reports);
}

TEST_P(thread_executor_test, results_that_come_after_the_loop_has_gone_are_dropped) {
    thread_executor outer(2);
    std::promise<void> go;
    auto may_go = go.get_future().share();
    future<std::string> left;
    run([](thread_executor& executor, std::shared_future<void> gate, future<std::string>& out) -> coro<> {
        for (int i = 0; i < 5; ++i) {
            out = run_in_executor(executor, [gate] {
                gate.wait();
                return std::string(100, 'x');
            });
        }
        co_return;
    }(outer, may_go, left));
    go.set_value();
    outer.shutdown();
    EXPECT_FALSE(left.done());
    left = future<std::string>();
}

}  // namespace
}  // namespace crossover::asyncio
