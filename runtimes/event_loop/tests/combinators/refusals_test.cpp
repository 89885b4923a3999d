// Tests what gather(), wait() and similar functions reject: in one error, before anything starts.
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/combinators/wait.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/what_of.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class refusals_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(refusals_test);

template <class F>
std::string refused(F f) {
    try {
        static_cast<void>(f());
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "no error";
}

coro<int> counted(int& begun) {
    ++begun;
    co_return begun;
}

TEST_P(refusals_test, futures_of_another_loop_are_refused_by_each) {
    loop other(options());
    const future<int> theirs(other);
    run([](const future<int>& f) -> coro<> {
        const std::string reason = ": all tasks and futures must belong to the running loop";
        int begun = 0;
        EXPECT_EQ("gather" + reason, refused([&] { return gather(counted(begun), f); }));
        EXPECT_EQ("gather" + reason, refused([&] { return gather(return_exceptions, counted(begun), f); }));
        EXPECT_EQ("gather" + reason, refused([&] { return gather(std::vector<future<int>>(2, f)); }));
        EXPECT_EQ("as_completed" + reason,
                  refused([&] { static_cast<void>(as_completed(std::vector<future<int>>(1, f))); }));
        std::string why = co_await what_of<std::invalid_argument>(wait(std::vector<future<int>>(1, f)));
        EXPECT_EQ("wait" + reason, why);
        for (const auto time : {0ms, 1ms}) {
            why = co_await what_of<std::invalid_argument>(wait_for(f, time));
            EXPECT_EQ("wait_for" + reason, why);
        }
        EXPECT_FALSE(f.done()) << "nor is it cancelled";
        EXPECT_EQ(1u, all_tasks().size()) << "nothing is left behind";
        co_await sleep(0ns);
        EXPECT_EQ(0, begun);
    }(theirs));
}

TEST_P(refusals_test, tasks_and_futures_that_are_empty_are_refused_by_each) {
    run([]() -> coro<> {
        const std::string reason = ": a task or future is empty, or was moved from";
        const future<int> none;
        int begun = 0;
        EXPECT_EQ("gather" + reason, refused([&] { return gather(counted(begun), none); }));
        EXPECT_EQ("gather" + reason, refused([&] { return gather(std::vector<task<int>>(2)); }));
        EXPECT_EQ("shield" + reason, refused([&] { return shield(none); }));
        EXPECT_EQ("as_completed" + reason,
                  refused([&] { static_cast<void>(as_completed(std::vector<task<int>>(1))); }));
        std::string why = co_await what_of<std::invalid_argument>(wait(std::vector<any_future>(1)));
        EXPECT_EQ("wait" + reason, why);
        why = co_await what_of<std::invalid_argument>(wait_for(none, 1ms));
        EXPECT_EQ("wait_for" + reason, why);
        EXPECT_EQ(1u, all_tasks().size());
    }());
}

TEST_P(refusals_test, a_coroutine_can_be_awaited_or_made_a_task_once) {
    run([]() -> coro<> {
        int begun = 0;
        coro<int> c = counted(begun);
        co_await c;
        const auto again = [](coro<int>& of) -> coro<int> { co_return co_await of; };
        std::string why = co_await what_of<std::logic_error>(again(c));
        EXPECT_EQ("cannot await a coroutine twice: make it a task", why);
        EXPECT_THROW(static_cast<void>(create_task(std::move(c))), std::logic_error);
        coro<int> moved = counted(begun);
        const coro<int> there = std::move(moved);
        why = co_await what_of<std::logic_error>(again(moved));
        EXPECT_EQ("awaiting a coroutine that was moved from", why);
        EXPECT_EQ(1, begun);
    }());
}

TEST_P(refusals_test, as_completed_has_no_next_beyond_the_last) {
    run([]() -> coro<> {
        auto none = as_completed(std::vector<task<int>>());
        EXPECT_FALSE(none.has_next());
        EXPECT_THROW(static_cast<void>(none.next()), std::logic_error);
        int begun = 0;
        auto one = as_completed(std::vector<task<int>>(1, create_task(counted(begun))));
        const auto first = co_await one.next();
        EXPECT_TRUE(first.done());
        EXPECT_THROW(static_cast<void>(one.next()), std::logic_error);
    }());
}

}  // namespace
}  // namespace crossover::asyncio
