// Timers and sleeping.
#include <limits>
#include <memory>

#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class timer_test : public on_each_back_end {};

TEST_P(timer_test, conformance_015_timers_never_fire_early_and_go_by_deadline) {
    loop l(options());
    log seen;
    const auto begun = loop::time();
    l.call_at(begun + 3ms, [&] {
        EXPECT_GE(loop::time() - begun, 3ms);
        seen.push_back("3");
        l.stop();
    });
    l.call_at(begun + 1ms, [&] {
        EXPECT_GE(loop::time() - begun, 1ms);
        seen.push_back("1");
    });
    l.call_later(-1s, [&] { seen.push_back("-1"); });
    l.call_later(-2s, [&] { seen.push_back("-2"); });
    l.run_forever();
    EXPECT_EQ(seen, (log{"-2", "-1", "1", "3"}));
}

TEST_P(timer_test, conformance_016_equal_deadlines_fire_in_the_order_they_were_set) {
    loop l(options());
    std::vector<int> seen;
    const auto when = loop::time() + 1ms;
    for (int i = 0; i < 100; ++i) l.call_at(when, [&seen, i] { seen.push_back(i); });
    l.call_at(when, [&] { l.stop(); });
    l.run_forever();
    ASSERT_EQ(seen.size(), 100u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST_P(timer_test, conformance_017_a_cancelled_timer_does_not_wake_the_loop) {
    loop l(options());
    for (int i = 1; i <= 50; ++i) l.call_later(std::chrono::microseconds(500 * i), [] {}).cancel();
    const auto iterations = l.iterations();
    l.call_later(30ms, [&] { l.stop(); });
    l.run_forever();
    // Not 2: the kernel may wake a little early by our clock, and the loop then sleeps again.
    EXPECT_LE(l.iterations() - iterations, 15u);
}

TEST_P(timer_test, conformance_018_cancelled_timers_leave_the_heap) {
    loop l(options());
    std::vector<timer_handle> handles;
    handles.reserve(1000);
    for (int i = 0; i < 1000; ++i) handles.push_back(l.call_later(1h, [] {}));
    for (auto& h : handles) h.cancel();
    EXPECT_EQ(l.timers().size(), 0u);
}

coro<> cancelled_sleep(loop& l) {
    task<> sleeper = create_task([]() -> coro<> { co_await sleep(1h); }());
    co_await sleep(0ns);
    EXPECT_EQ(l.timers().size(), 1u);
    sleeper.cancel();
    co_await until_done(sleeper);
    EXPECT_TRUE(sleeper.cancelled());
    EXPECT_EQ(l.timers().size(), 0u);
}

coro<> timed_sleep() {
    const auto begun = loop::time();
    const int value = co_await sleep(5ms, 42);
    EXPECT_EQ(value, 42);
    EXPECT_GE(loop::time() - begun, 5ms);
}

TEST_P(timer_test, conformance_019_sleep_gives_its_value_after_the_delay_and_a_cancel_frees_its_timer) {
    loop l(options());
    l.run_until_complete(timed_sleep());
    l.run_until_complete(cancelled_sleep(l));
}

coro<> one_iteration(loop& l, log& seen) {
    for (auto delay : {0ns, -5ns}) {
        l.call_soon([&] { seen.push_back("callback"); });
        const auto before = l.iterations();
        co_await sleep(delay);
        seen.push_back("resumed");
        EXPECT_EQ(l.iterations(), before + 1);
        EXPECT_EQ(l.timers().size(), 0u);
    }
}

TEST_P(timer_test, conformance_020_sleep_of_zero_gives_up_exactly_one_iteration) {
    loop l(options());
    log seen;
    l.run_until_complete(one_iteration(l, seen));
    EXPECT_EQ(seen, (log{"callback", "resumed", "callback", "resumed"}));
}

TEST_P(timer_test, conformance_021_a_delay_that_is_not_a_number_is_refused) {
    const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
    EXPECT_THROW(static_cast<void>(sleep(nan)), std::invalid_argument);
}

TEST_P(timer_test, a_delay_beyond_the_clock_waits_for_ever_instead_of_wrapping) {
    EXPECT_EQ(loop::nanoseconds_of(std::chrono::hours::max()), std::chrono::nanoseconds::max());
    EXPECT_EQ(loop::deadline_after(std::chrono::nanoseconds::max()), time_point::max());
}

coro<> tiny_sleeps() {
    for (int i = 0; i < 5; ++i) co_await sleep(10ns);
}

TEST_P(timer_test, a_deadline_before_all_time_is_over_at_once) {
    loop l(options());
    int rung = 0;
    l.call_at(time_point::min(), [&] { ++rung; });
    l.call_at(time_point::min() + 1ns, [&] {
        ++rung;
        l.stop();
    });
    l.run_forever();
    EXPECT_EQ(2, rung);
}

TEST_P(timer_test, conformance_022_tiny_sleeps_do_not_spin) {
    loop l(options());
    const auto before = l.iterations();
    l.run_until_complete(tiny_sleeps());
    EXPECT_LE(l.iterations() - before, 20u);
}

CROSSOVER_ON_EACH_BACK_END(timer_test);

}  // namespace
}  // namespace crossover::asyncio
