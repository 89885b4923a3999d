// A task that cancels itself: the cancellation waits for its next await.
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class self_cancel_test : public on_each_back_end {};

TEST_P(self_cancel_test, conformance_051_a_self_cancel_takes_effect_at_the_next_await) {
    log seen;
    auto victim = [&](std::chrono::nanoseconds time) -> coro<> {
        current_task().cancel();
        seen.push_back("before");
        co_await sleep(time);
        seen.push_back("after");
    };
    auto body = [&]() -> coro<> {
        for (auto time : {0ns, std::chrono::nanoseconds(1h)}) {
            task<> t = create_task(victim(time));
            co_await until_done(t);
            EXPECT_TRUE(t.cancelled());
        }
    };
    run(body());
    EXPECT_EQ(seen, (log{"before", "before"}));
}

TEST_P(self_cancel_test, conformance_052_a_self_cancel_followed_by_return_ends_cancelled) {
    auto held = std::make_shared<int>(0);
    auto victim = [](std::shared_ptr<int> value) -> coro<std::shared_ptr<int>> {
        current_task().cancel();
        co_return value;
    };
    auto body = [&]() -> coro<> {
        task<std::shared_ptr<int>> t = create_task(victim(held));
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(held.use_count(), 1) << "the value is dropped";
    };
    run(body());
}

TEST_P(self_cancel_test, a_self_cancel_after_a_child_that_slept_meets_no_remains_of_its_wait) {
    auto child = [](int) -> coro<int> {
        co_await sleep(1ms);
        co_return 1;
    };
    auto body = [&]() -> coro<> {
        co_await child(1);
        current_task().cancel();
        co_await sleep(1h);
    };
    auto main = [&]() -> coro<> {
        task<> t = create_task(body());
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
    };
    run(main());
}

CROSSOVER_ON_EACH_BACK_END(self_cancel_test);

}  // namespace
}  // namespace crossover::asyncio
