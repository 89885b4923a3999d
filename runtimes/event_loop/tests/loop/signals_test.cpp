// Signals as callbacks, and Ctrl-C.
#include "runtimes/event_loop/loop/signals.hpp"

#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <thread>

#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class signals_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(signals_test);

TEST_P(signals_test, conformance_137_a_handler_runs_in_the_loop_also_while_it_sleeps) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        future<> came(l);
        const auto here = std::this_thread::get_id();
        add_signal_handler(l, SIGUSR1, [&] {
            EXPECT_EQ(here, std::this_thread::get_id());
            came.set_result();
        });
        std::thread other([] {
            std::this_thread::sleep_for(20ms);
            ::kill(::getpid(), SIGUSR1);
        });
        co_await came;
        other.join();
        EXPECT_TRUE(remove_signal_handler(l, SIGUSR1));
        EXPECT_FALSE(remove_signal_handler(l, SIGUSR1));
    }());
}

TEST_P(signals_test, conformance_137_what_the_signal_did_before_is_restored) {
    static int calls = 0;
    calls = 0;
    std::signal(SIGUSR2, [](int) { ++calls; });
    run([]() -> coro<> {
        loop& l = get_running_loop();
        int ours = 0;
        add_signal_handler(l, SIGUSR2, [&] { ++ours; });
        std::raise(SIGUSR2);
        for (int i = 0; i < 100 && ours == 0; ++i) co_await sleep(1ms);
        EXPECT_EQ(1, ours);
        EXPECT_EQ(0, calls);
    }());
    std::raise(SIGUSR2);
    EXPECT_EQ(1, calls) << "closing the loop gives it back";
    std::signal(SIGUSR2, SIG_DFL);
}

TEST_P(signals_test, signals_that_cannot_be_caught_are_refused) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        EXPECT_THROW(add_signal_handler(l, SIGKILL, [] {}), std::invalid_argument);
        EXPECT_THROW(add_signal_handler(l, 0, [] {}), std::invalid_argument);
        EXPECT_THROW(add_signal_handler(l, 1000, [] {}), std::invalid_argument);
        co_return;
    }());
}

TEST_P(signals_test, conformance_136_the_first_interrupt_cancels_main_and_comes_out) {
    log seen;
    auto main = [](log& l) -> coro<> {
        std::raise(SIGINT);
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
            l.push_back("cancelled");
            throw;
        }
    };
    EXPECT_THROW(run_interruptible(main(seen), options()), keyboard_interrupt);
    EXPECT_EQ(log{"cancelled"}, seen);
}

TEST_P(signals_test, conformance_136_a_main_that_deals_with_it_returns_its_value) {
    auto main = []() -> coro<int> {
        std::raise(SIGINT);
        try {
            co_await sleep(1h);
        } catch (const cancelled_error&) {
        }
        co_return 5;
    };
    EXPECT_EQ(5, run_interruptible(main(), options()));
}

TEST_P(signals_test, conformance_136_a_main_that_was_cancelled_otherwise_ends_cancelled) {
    auto main = []() -> coro<> {
        std::raise(SIGINT);
        current_task().cancel();
        co_await sleep(1h);
    };
    EXPECT_THROW(run_interruptible(main(), options()), cancelled_error);
}

TEST_P(signals_test, conformance_136_the_second_interrupt_leaves_the_loop_at_once) {
    auto main = []() -> coro<> {
        for (int i = 0; i < 2; ++i) {
            std::raise(SIGINT);
            try {
                co_await sleep(1h);
            } catch (const cancelled_error&) {
            }
        }
    };
    EXPECT_THROW(run_interruptible(main(), options()), keyboard_interrupt);
}

}  // namespace
}  // namespace crossover::asyncio
