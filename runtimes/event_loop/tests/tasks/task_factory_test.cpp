// Task factories: who is told of a new task, and when its body begins.
#include <optional>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class task_factory_test : public on_each_back_end {
  protected:
    void SetUp() override { l.emplace(options()); }

    std::optional<loop> l;
};
CROSSOVER_ON_EACH_BACK_END(task_factory_test);

coro<> notes(log& seen, std::string what) {
    seen.push_back(what);
    co_return;
}

TEST_P(task_factory_test, there_is_none_until_one_is_set_and_after_it_is_taken_back) {
    EXPECT_FALSE(l->get_task_factory());
    log seen;
    l->set_task_factory([&](loop& of, const any_task& t) {
        EXPECT_EQ(&of, &*l);
        seen.push_back(t.name());
        return first_step::queued;
    });
    EXPECT_TRUE(l->get_task_factory());
    l->run_until_complete(l->create_task(notes(seen, "first body"), "first"));
    l->set_task_factory(nullptr);
    EXPECT_FALSE(l->get_task_factory());
    l->run_until_complete(l->create_task(notes(seen, "second body"), "second"));
    EXPECT_EQ(seen, (log{"first", "first body", "second body"}));
}

TEST_P(task_factory_test, it_is_told_of_the_main_task_and_of_those_of_gather_and_of_groups) {
    int made = 0;
    l->set_task_factory([&](loop&, const any_task& t) {
        EXPECT_FALSE(t.done());
        ++made;
        return first_step::queued;
    });
    log seen;
    l->run_until_complete([](log& into) -> coro<> {
        co_await gather(notes(into, "a"), notes(into, "b"));
        task_group g;
        const auto body = [&](task_group& in) -> coro<> {
            static_cast<void>(in.create_task(notes(into, "c")));
            static_cast<void>(in.create_task(notes(into, "d"), copy_context()));
            co_return;
        };
        co_await with(g, body);
    }(seen));
    EXPECT_EQ(made, 5);
    EXPECT_EQ(seen, (log{"a", "b", "c", "d"}));
}

TEST_P(task_factory_test, it_may_begin_some_tasks_at_once_and_rename_them) {
    l->set_task_factory([](loop&, const any_task& t) {
        if (t.name() != "urgent") return first_step::queued;
        t.set_name("begun");
        return first_step::at_once;
    });
    log seen;
    l->run_until_complete([](log& into) -> coro<> {
        const task<> later = create_task(notes(into, "later"), "patient");
        const task<> now = create_task(notes(into, "now"), "urgent");
        EXPECT_TRUE(now.done());
        EXPECT_EQ(now.name(), "begun");
        EXPECT_FALSE(later.done());
        co_await later;
    }(seen));
    EXPECT_EQ(seen, (log{"now", "later"}));
}

TEST_P(task_factory_test, what_it_throws_comes_out_of_create_task_and_the_body_never_runs) {
    log seen;
    l->run_until_complete([](loop& here, log& into) -> coro<> {
        here.set_task_factory(
            [](loop&, const any_task&) -> first_step { throw std::domain_error("no more tasks"); });
        EXPECT_THROW(static_cast<void>(create_task(notes(into, "never"))), std::domain_error);
        here.set_task_factory(nullptr);
        co_await sleep(0ns);
        EXPECT_EQ(all_tasks().size(), 1u) << "only this one";
    }(*l, seen));
    EXPECT_EQ(seen, log{});
}

}  // namespace
}  // namespace crossover::asyncio
