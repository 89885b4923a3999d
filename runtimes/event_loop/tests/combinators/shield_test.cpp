// shield(): who is cancelled with whom.
#include "runtimes/event_loop/combinators/shield.hpp"

#include <malloc.h>

#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/outcome_of.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class shield_test : public on_each_back_end {};

TEST_P(shield_test, conformance_089_cancelling_a_shield_leaves_the_inner_one_running) {
    auto body = [&]() -> coro<> {
        task<int> inner = create_task(sleeps(2ms, 8));
        future<int> outer = shield(inner);
        outer.cancel();
        EXPECT_TRUE(outer.cancelled());
        co_await sleep(0ns);
        EXPECT_FALSE(inner.done());
        const auto got24 = co_await inner;
        EXPECT_EQ(got24, 8);
        task<int> again = create_task(sleeps(3ms, 9));
        const auto got25 = co_await outcome_of(wait_for(shield(again), 1ms));
        EXPECT_EQ(got25, "timeout");
        EXPECT_EQ(again.cancelling(), 0u);
        const auto got26 = co_await again;
        EXPECT_EQ(got26, 9);
    };
    run(body());
}

TEST_P(shield_test, conformance_090_a_shield_passes_the_inner_end_on) {
    auto fails = []() -> coro<int> {
        co_await sleep(0ns);
        throw std::runtime_error("inner");
    };
    auto awaits = [](future<int> f) -> coro<int> { co_return co_await f; };
    auto body = [&]() -> coro<> {
        const auto got27 = co_await shield(sleeps(1ms, 3));
        EXPECT_EQ(got27, 3);
        const auto got28 = co_await outcome_of(awaits(shield(fails())));
        EXPECT_EQ(got28, "inner");
        task<int> inner = create_task(sleeps(1h, 1));
        future<int> outer = shield(inner);
        inner.cancel();
        const auto got29 = co_await outcome_of(awaits(outer));
        EXPECT_EQ(got29, "cancelled");
        EXPECT_TRUE(outer.cancelled());
        future<int> done = get_running_loop().create_future<int>();
        done.set_result(1);
        EXPECT_TRUE(shield(done).done());
    };
    run(body());
}

TEST_P(shield_test, a_shield_of_another_loops_future_is_an_error_where_it_is_awaited) {
    loop other(options());
    const future<int> foreign = other.create_future<int>();
    run([](const future<int>& f) -> coro<> {
        bool refused = false;
        try {
            co_await shield(f);
        } catch (const std::logic_error&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    }(foreign));
}

TEST_P(shield_test, shields_that_were_cancelled_leave_nothing_with_the_inner_one) {
    auto body = []() -> coro<> {
        future<int> inner = get_running_loop().create_future<int>();
        const auto shields = [&inner](int count) {
            for (int i = 0; i < count; ++i) shield(inner).cancel();
        };
        shields(100);
        const std::size_t before = ::mallinfo2().uordblks;
        shields(10'000);
        EXPECT_LT(::mallinfo2().uordblks, before + 10'000);
        inner.set_result(1);
        co_return;
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(shield_test);

}  // namespace
}  // namespace crossover::asyncio
