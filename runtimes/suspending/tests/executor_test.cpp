// Tests that calls run in other threads, as many at once as allowed, and that exceptions come back.
#include "runtimes/suspending/executor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <latch>
#include <stdexcept>

#include "runtimes/suspending/tests/thread_waiter.hpp"

namespace crossover::cross_thread {
namespace {

// The whole of a call, for the test's own thread to wait for.
struct errand {
    errand(void (*function)(void*), void* argument, const stop_state* stop = nullptr)
        : call(function, argument, stop, done) {}
    thread_waiter done;
    offloaded_call call;
};

TEST(executor, makes_each_call_once_in_another_thread) {
    executor threads(4);
    struct seen {
        std::atomic<int> calls{0};
        std::thread::id by;
    };
    std::deque<seen> all(1'000);
    std::deque<errand> errands;
    for (seen& each : all) {
        errands.emplace_back(
            [](void* s) {
                static_cast<seen*>(s)->calls.fetch_add(1);
                static_cast<seen*>(s)->by = std::this_thread::get_id();
            },
            &each);
        threads.submit(errands.back().call);
    }
    for (errand& each : errands) each.done.await_call();
    for (const seen& each : all) {
        EXPECT_EQ(each.calls.load(), 1);
        EXPECT_NE(each.by, std::this_thread::get_id());
    }
}

TEST(executor, makes_as_many_calls_at_once_as_it_has_threads) {
    executor threads(3);
    std::latch together(3);
    std::deque<errand> errands;
    for (int i = 0; i < 3; ++i) {
        errands.emplace_back([](void* all) { static_cast<std::latch*>(all)->arrive_and_wait(); }, &together);
        threads.submit(errands.back().call);
    }
    for (errand& each : errands) each.done.await_call();
}

TEST(executor, brings_back_what_a_call_has_thrown) {
    executor threads(1);
    errand failing([](void*) { throw std::domain_error("in the call"); }, nullptr);
    threads.submit(failing.call);
    failing.done.await_call();
    EXPECT_THROW(failing.call.result(), std::domain_error);
}

TEST(executor, does_not_make_a_call_that_was_stopped_before_its_turn_but_ends_it) {
    executor threads(1);
    stop_state stop;
    stop.raise();
    bool made = false;
    errand stopped([](void* flag) { *static_cast<bool*>(flag) = true; }, &made, &stop);
    threads.submit(stopped.call);
    stopped.done.await_call();
    EXPECT_FALSE(made);
    EXPECT_NO_THROW(stopped.call.result());
}

}  // namespace
}  // namespace crossover::cross_thread
