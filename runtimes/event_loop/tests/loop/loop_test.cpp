// The loop: callbacks, iterations, timers, running and stopping.
#include "runtimes/event_loop/loop/loop.hpp"

#include <atomic>
#include <limits>
#include <memory>
#include <thread>

#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class loop_test : public on_each_back_end {};

void run_briefly(loop& l) {
    l.stop();
    l.run_forever();
}

TEST_P(loop_test, conformance_001_callbacks_run_in_order_and_get_their_arguments) {
    loop l(options());
    log seen;
    for (const char* name : {"a", "b", "c"})
        l.call_soon([&](const std::string& text, int n) { seen.push_back(text + std::to_string(n)); }, name,
                    1);
    run_briefly(l);
    EXPECT_EQ(seen, (log{"a1", "b1", "c1"}));
}

TEST_P(loop_test, conformance_002_what_a_callback_queues_runs_in_the_next_iteration) {
    loop l(options());
    std::uint64_t outer = 0, inner = 0;
    l.call_soon([&] {
        outer = l.iterations();
        l.call_soon([&] {
            inner = l.iterations();
            l.stop();
        });
    });
    l.run_forever();
    EXPECT_EQ(inner, outer + 1);
}

TEST_P(loop_test, conformance_003_ready_callbacks_come_before_due_timers) {
    loop l(options());
    log seen;
    l.call_later(0ns, [&] { seen.push_back("timer"); });
    l.call_soon([&] { seen.push_back("ready"); });
    run_briefly(l);
    EXPECT_EQ(seen, (log{"ready", "timer"}));
}

TEST_P(loop_test, conformance_004_the_loop_does_not_sleep_while_something_is_ready) {
    loop l(options());
    l.call_later(1h, [] {});
    const auto before = loop::time();
    int rounds = 0;
    std::function<void()> again = [&] { ++rounds < 100 ? void(l.call_soon(again)) : l.stop(); };
    l.call_soon(again);
    l.run_forever();
    EXPECT_EQ(rounds, 100);
    EXPECT_LT(loop::time() - before, 10s);
}

TEST_P(loop_test, conformance_005_stop_lets_the_iteration_finish) {
    loop l(options());
    log seen;
    l.call_soon([&] {
        l.stop();
        seen.push_back("a");
        l.call_soon([&] { seen.push_back("next iteration"); });
    });
    l.call_soon([&] { seen.push_back("b"); });
    l.run_forever();
    EXPECT_EQ(seen, (log{"a", "b"}));
    run_briefly(l);
    EXPECT_EQ(seen.back(), "next iteration");
}

TEST_P(loop_test, conformance_005_stop_before_running_runs_exactly_one_iteration_without_waiting) {
    loop l(options());
    l.call_later(1h, [] {});
    const auto iterations = l.iterations();
    const auto before = loop::time();
    run_briefly(l);
    EXPECT_EQ(l.iterations(), iterations + 1);
    EXPECT_LT(loop::time() - before, 10s);
}

coro<int> value_after_a_step() {
    co_await sleep(0ns);
    co_return 7;
}
coro<> failing() {
    co_await sleep(0ns);
    throw std::runtime_error("failed");
}

TEST_P(loop_test, conformance_007_run_until_complete_returns_the_result_or_throws_the_exception) {
    loop l(options());
    EXPECT_EQ(l.run_until_complete(value_after_a_step()), 7);
    EXPECT_THROW(l.run_until_complete(failing()), std::runtime_error);
}

TEST_P(loop_test, conformance_007_a_main_task_that_was_stopped_can_go_on_later) {
    loop l(options());
    task<int> main = l.create_task(value_after_a_step());
    l.stop();
    EXPECT_THROW(l.run_until_complete(main), std::runtime_error);
    EXPECT_FALSE(main.done());
    EXPECT_EQ(l.run_until_complete(main), 7);
}

TEST_P(loop_test, conformance_007_what_belongs_to_another_loop_is_refused) {
    loop other(options());
    loop l(options());
    const future<int> foreign = other.create_future<int>();
    EXPECT_THROW(l.run_until_complete(foreign), std::invalid_argument);
}

TEST_P(loop_test, conformance_008_a_loop_cannot_run_inside_another) {
    loop l(options());
    loop other(options());
    int refused = 0;
    l.call_soon([&] {
        for (loop* it : {&l, &other}) {
            try {
                it->run_forever();
            } catch (const std::logic_error&) {
                ++refused;
            }
        }
    });
    run_briefly(l);
    EXPECT_EQ(refused, 2);
    EXPECT_FALSE(other.is_running());
}

TEST_P(loop_test, conformance_009_close_refuses_a_running_loop_and_ends_scheduling) {
    loop l(options());
    bool refused = false;
    l.call_soon([&] {
        try {
            l.close();
        } catch (const std::logic_error&) {
            refused = true;
        }
    });
    run_briefly(l);
    EXPECT_TRUE(refused);
    l.close();
    l.close();
    EXPECT_TRUE(l.is_closed());
    EXPECT_THROW(l.call_soon([] {}), std::runtime_error);
    EXPECT_THROW(l.call_soon_threadsafe([] {}), std::runtime_error);
    EXPECT_THROW(l.call_later(1ms, [] {}), std::runtime_error);
    EXPECT_THROW(l.run_forever(), std::runtime_error);
    EXPECT_THROW(l.run_until_complete(value_after_a_step()), std::runtime_error);
}

TEST_P(loop_test, conformance_010_a_call_from_another_thread_wakes_a_sleeping_loop) {
    loop l(options());
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        l.call_soon_threadsafe([&] { l.stop(); });
    });
    l.run_forever();
    other.join();
}

TEST_P(loop_test, conformance_010_a_call_from_another_thread_goes_before_a_later_call_soon) {
    loop l(options());
    log seen;
    l.call_soon([&] {
        std::thread([&] { l.call_soon_threadsafe([&] { seen.push_back("foreign"); }); }).join();
        l.call_soon([&] {
            seen.push_back("own");
            l.stop();
        });
    });
    l.run_forever();
    EXPECT_EQ(seen, (log{"foreign", "own"}));
}

TEST_P(loop_test, conformance_010_a_call_from_another_thread_can_be_taken_back) {
    loop l(options());
    const auto captured = std::make_shared<int>(1);
    bool called = false;
    threadsafe_handle taken_back;
    std::thread([&] {
        taken_back = l.call_soon_threadsafe([captured, &called] { called = true; });
        EXPECT_FALSE(taken_back.cancelled());
        taken_back.cancel();
        l.call_soon_threadsafe([&l] { l.stop(); });
    }).join();
    l.run_forever();
    EXPECT_FALSE(called);
    EXPECT_TRUE(taken_back.cancelled());
    EXPECT_EQ(captured.use_count(), 1);
}

TEST_P(loop_test, conformance_010_calls_from_several_threads_are_all_made_in_the_order_of_each) {
    loop l(options());
    constexpr int each = 2000;
    int last[2] = {-1, -1};
    int made = 0;
    auto produce = [&](int who) {
        for (int i = 0; i < each; ++i) {
            l.call_soon_threadsafe([&, who, i] {
                EXPECT_EQ(last[who] + 1, i);
                last[who] = i;
                if (++made == 2 * each) l.stop();
            });
        }
    };
    std::thread a(produce, 0), b(produce, 1);
    l.run_forever();
    a.join();
    b.join();
    EXPECT_EQ(made, 2 * each);
}

TEST_P(loop_test, conformance_011_a_throwing_callback_is_reported_and_the_next_one_runs) {
    loop l(options());
    std::vector<error_report> reports;
    l.set_exception_handler([&](loop&, const error_report& r) { reports.push_back(r); });
    bool next = false;
    l.call_soon([] { throw std::runtime_error("broken"); });
    l.call_soon([&] { next = true; });
    run_briefly(l);
    EXPECT_TRUE(next);
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].message, "Exception in callback");
    EXPECT_THROW(std::rethrow_exception(reports[0].exception), std::runtime_error);
}

TEST_P(loop_test, conformance_012_a_throwing_exception_handler_is_reported_itself) {
    loop l(options());
    l.set_exception_handler([](loop&, const error_report&) { throw std::logic_error("handler"); });
    bool next = false;
    l.call_soon([] { throw std::runtime_error("broken"); });
    l.call_soon([&] { next = true; });
    testing::internal::CaptureStderr();
    run_briefly(l);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("Unhandled error in exception handler"),
              std::string::npos);
    EXPECT_TRUE(next);
}

struct stop_everything : loop_exit {};

coro<> leaves() {
    co_await sleep(0ns);
    throw stop_everything();
}

TEST_P(loop_test, conformance_013_a_loop_exit_leaves_at_once_and_is_stored_in_the_task) {
    loop l(options());
    task<> main = l.create_task(leaves());
    EXPECT_THROW(l.run_until_complete(main), stop_everything);
    ASSERT_TRUE(main.done());
    EXPECT_TRUE(is_loop_exit(main.exception()));
    int runs = 0;
    l.call_soon([&] {
        l.call_soon([&] {
            ++runs;
            l.stop();
        });
    });
    l.run_forever();
    EXPECT_EQ(runs, 1) << "no stop was left behind";
}

TEST_P(loop_test, conformance_013_a_loop_exit_from_a_callback_leaves_the_rest_for_the_next_run) {
    loop l(options());
    log seen;
    l.call_soon([&] { throw stop_everything(); });
    l.call_soon([&] { seen.push_back("rest"); });
    EXPECT_THROW(l.run_forever(), stop_everything);
    EXPECT_TRUE(seen.empty());
    run_briefly(l);
    EXPECT_EQ(seen, log{"rest"});
}

TEST_P(loop_test, conformance_014_cancelling_a_handle_skips_it_and_frees_its_captures_at_once) {
    loop l(options());
    auto held = std::make_shared<int>(1);
    bool ran = false;
    handle h = l.call_soon([&ran, held] { ran = true; });
    timer_handle t = l.call_later(1ns, [&ran, held] { ran = true; });
    EXPECT_EQ(held.use_count(), 3);
    h.cancel();
    t.cancel();
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_TRUE(h.cancelled());
    run_briefly(l);
    EXPECT_FALSE(ran);
    h.cancel();
}

CROSSOVER_ON_EACH_BACK_END(loop_test);

}  // namespace
}  // namespace crossover::asyncio
