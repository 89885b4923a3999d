// Debug mode: slow steps, wrong threads, where tasks were made, and the list of tasks with what they await.
#include "runtimes/event_loop/loop/debug.hpp"

#include <map>
#include <thread>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class debug_test : public on_each_back_end {
  protected:
    loop_options debug_options() const {
        loop_options o = options();
        o.debug = true;
        return o;
    }
    template <class T>
    T debug(coro<T> main) {
        return asyncio::run(std::move(main), debug_options());
    }
    static void keep_reports(std::vector<error_report>& kept) {
        get_running_loop().set_exception_handler(
            [&kept](loop&, const error_report& r) { kept.push_back(r); });
        get_running_loop().slow_callback_duration = 1h;
    }
    // On a machine that stands still for a while any step is slow: reports of those are not kept.
    static void keep_slow(std::vector<error_report>& kept, std::chrono::nanoseconds slow,
                          const std::string& which) {
        get_running_loop().set_exception_handler([&kept, which](loop&, const error_report& r) {
            if (r.message.find(which) != std::string::npos) kept.push_back(r);
        });
        get_running_loop().slow_callback_duration = slow;
    }
};

void hold_up() { std::this_thread::sleep_for(30ms); }

coro<> dawdle() {
    co_await sleep(1ms);
    hold_up();
}

TEST_P(debug_test, conformance_138_a_slow_step_is_reported_with_name_and_time) {
    std::vector<error_report> reports;
    auto body = [&]() -> coro<> {
        keep_slow(reports, 25ms, "dawdler");
        task<> t = create_task(dawdle(), "dawdler");
        co_await t;
    };
    debug(body());
    ASSERT_FALSE(reports.empty());
    EXPECT_LE(reports.size(), 2u) << "it has two steps, and holds up in the second";
    const error_report& slow = reports.back();
    EXPECT_EQ(slow.task, "dawdler");
    EXPECT_TRUE(slow.message.starts_with("Executing dawdler ")) << slow.message;
    EXPECT_NE(slow.message.find("dawdle took "), std::string::npos) << slow.message;
    EXPECT_NE(std::string(slow.created.file_name()).find("debug_test.cpp"), std::string::npos);
}

struct slow_function {
    void operator()() const { hold_up(); }
};

TEST_P(debug_test, conformance_138_a_slow_callback_is_reported_with_its_type) {
    std::vector<error_report> reports;
    auto body = [&]() -> coro<> {
        keep_slow(reports, 25ms, "slow_function");
        get_running_loop().call_soon(slow_function());
        get_running_loop().call_later(1ms, slow_function());
        co_await sleep(50ms);
    };
    debug(body());
    ASSERT_EQ(reports.size(), 2u);
    for (const error_report& r : reports)
        EXPECT_NE(r.message.find("slow_function took "), std::string::npos) << r.message;
}

TEST_P(debug_test, conformance_138_nothing_is_slow_when_debug_mode_is_off) {
    std::vector<error_report> reports;
    auto body = [&]() -> coro<> {
        keep_slow(reports, 1ms, "");
        get_running_loop().call_soon(slow_function());
        co_await dawdle();
    };
    run(body());
    EXPECT_TRUE(reports.empty());
}

TEST_P(debug_test, debug_mode_can_be_switched_on_and_off_while_the_loop_runs) {
    std::vector<error_report> reports;
    auto body = [&]() -> coro<> {
        loop& l = get_running_loop();
        keep_slow(reports, 25ms, "made ");
        task<> before = create_task(dawdle(), "made before");
        l.set_debug(true);
        EXPECT_TRUE(l.get_debug());
        co_await before;
        l.set_debug(false);
        task<> after = create_task(dawdle(), "made after");
        co_await after;
    };
    run(body());
    ASSERT_FALSE(reports.empty());
    for (const error_report& r : reports) EXPECT_EQ(r.task, "made before");
}

coro<> nothing() { co_return; }

TEST_P(debug_test, conformance_139_calls_from_another_thread_throw_in_debug_mode) {
    int refused = 0;
    auto body = [&]() -> coro<> {
        loop& l = get_running_loop();
        const future<int> f(l);
        const task<> sleeper = create_task([]() -> coro<> { co_await sleep(1h); }());
        std::thread other([&] {
            const auto expect_refusal = [&](auto call) {
                try {
                    call();
                } catch (const std::logic_error&) {
                    ++refused;
                }
            };
            expect_refusal([&] { l.call_soon([] {}); });
            expect_refusal([&] { l.call_later(1ms, [] {}); });
            expect_refusal([&] { l.call_at(loop::time(), [] {}); });
            expect_refusal([&] { static_cast<void>(l.create_task(nothing())); });
            expect_refusal([&] { f.set_result(1); });
            expect_refusal([&] { sleeper.cancel(); });
            l.call_soon_threadsafe([&] { f.set_result(2); });
        });
        other.join();
        const int got = co_await f;
        EXPECT_EQ(got, 2);
        EXPECT_FALSE(sleeper.done());
    };
    debug(body());
    EXPECT_EQ(refused, 6);
}

TEST_P(debug_test, conformance_139_a_loop_that_does_not_run_may_be_filled_by_any_thread) {
    loop l(debug_options());
    bool called = false;
    std::thread other([&] { l.call_soon([&] { called = true; }); });
    other.join();
    l.stop();
    l.run_forever();
    EXPECT_TRUE(called);
}

unsigned line_of(const any_future& f) { return f.get_loop().creation_of(f.raw()).line(); }

TEST_P(debug_test, conformance_140_tasks_and_futures_know_where_they_were_made) {
    auto body = [&]() -> coro<> {
        loop& l = get_running_loop();
        std::vector<coro<>> some;
        some.push_back(nothing());
        const unsigned here = __LINE__;
        const task<> a = create_task(nothing());
        const task<> b = create_task(nothing(), "b");
        const task<> c = l.create_task(nothing());
        const task<> d = create_eager_task(nothing());
        const future<int> e(l);
        const future<int> f = l.create_future<int>();
        EXPECT_EQ(line_of(a), here + 1);
        EXPECT_EQ(line_of(b), here + 2);
        EXPECT_EQ(line_of(c), here + 3);
        EXPECT_EQ(line_of(d), here + 4);
        EXPECT_EQ(line_of(e), here + 5);
        EXPECT_EQ(line_of(f), here + 6);
        const auto all = gather(std::move(some));
        for (const any_task& t : all_tasks()) {
            if (t.name() == "Task-6") {
                EXPECT_EQ(line_of(t), here + 13);
            }
        }
        co_await all;
        task_group group;
        auto in_group = [](task_group& g) -> coro<> {
            const task<> t = g.create_task(nothing());
            EXPECT_EQ(line_of(t), static_cast<unsigned>(__LINE__ - 1));
            co_return;
        };
        co_await with(group, in_group);
    };
    debug(body());
}

TEST_P(debug_test, conformance_140_nothing_is_noted_when_debug_mode_is_off) {
    auto body = [&]() -> coro<> {
        const task<> a = create_task(nothing());
        EXPECT_EQ(line_of(a), 0u);
        co_return;
    };
    run(body());
}

TEST_P(debug_test, an_exception_nobody_looked_at_is_reported_once_with_the_place) {
    std::vector<error_report> reports;
    auto fails = []() -> coro<> {
        throw std::runtime_error("lost");
        co_return;
    };
    auto body = [&]() -> coro<> {
        keep_reports(reports);
        static_cast<void>(create_task(fails(), "lost one"));
        co_await sleep(0ns);
        co_await sleep(0ns);
    };
    const unsigned line = __LINE__ - 4;
    debug(body());
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].message, "Task exception was never retrieved");
    EXPECT_EQ(reports[0].task, "lost one");
    EXPECT_EQ(reports[0].created.line(), line);
}

TEST_P(debug_test, a_pending_task_that_is_destroyed_is_reported_once_with_the_place) {
    std::vector<error_report> reports;
    unsigned line = 0;
    {
        loop l(debug_options());
        l.set_exception_handler([&](loop&, const error_report& r) { reports.push_back(r); });
        line = __LINE__ + 1;
        static_cast<void>(l.create_task([]() -> coro<> { co_await sleep(1h); }(), "left"));
        l.stop();
        l.run_forever();
    }
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_EQ(reports[0].message, "Task was destroyed but it is pending");
    EXPECT_EQ(reports[0].created.line(), line);
}

// The lines of describe_tasks(), by the name of their task; without places, which change with this file.
std::map<std::string, std::string> tasks_by_name() {
    std::map<std::string, std::string> lines;
    const std::string all = describe_tasks(get_running_loop());
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = all.find('\n', at);
        std::string line = all.substr(at, end - at);
        line = line.substr(0, line.find(", made at"));
        lines[line.substr(0, line.find_first_of(" ,"))] = line;
        at = end + 1;
    }
    return lines;
}

coro<> wait_long() { co_await sleep(1h); }
coro<> wait_for_event(event& e) { co_await e.wait(); }
coro<> wait_for_lock(lock& l) { co_await l.acquire(); }
coro<> wait_for_value(queue<int>& q) { co_await q.get(); }
coro<> wait_for_task(task<> t) { co_await t; }
coro<> wait_for_both(task<> a, task<> b) { co_await gather(a, b); }
coro<> wait_for_future(future<int> f) { co_await f; }
coro<> wait_deeper(event& e) { co_await wait_for_event(e); }

TEST_P(debug_test, the_list_of_tasks_tells_what_each_awaits) {
    auto body = [&]() -> coro<> {
        event e;
        lock l;
        queue<int> q;
        co_await l.acquire();
        const future<int> f(get_running_loop());
        std::vector<task<>> all;
        all.push_back(create_task(wait_long(), "sleeper"));
        all.push_back(create_task(wait_for_event(e), "of_event"));
        all.push_back(create_task(wait_for_lock(l), "of_lock"));
        all.push_back(create_task(wait_for_value(q), "of_queue"));
        all.push_back(create_task(wait_for_task(all[0]), "of_task"));
        all.push_back(create_task(wait_for_both(all[0], all[1]), "of_gather"));
        all.push_back(create_task(wait_for_future(f), "of_future"));
        all.push_back(create_task(wait_deeper(e), "deeper"));
        co_await sleep(0ns);
        all.push_back(create_task(nothing(), "fresh"));
        auto lines = tasks_by_name();
        EXPECT_EQ(lines.size(), all.size() + 1) << describe_tasks(get_running_loop());
        EXPECT_NE(lines["sleeper"].find("wait_long, awaits sleep, 3"), lines["sleeper"].npos)
            << lines["sleeper"];
        EXPECT_TRUE(lines["sleeper"].ends_with(" s left")) << lines["sleeper"];
        EXPECT_TRUE(lines["of_event"].ends_with("wait_for_event, awaits event.wait()")) << lines["of_event"];
        EXPECT_TRUE(lines["of_lock"].ends_with("wait_for_lock, awaits lock.acquire()")) << lines["of_lock"];
        EXPECT_TRUE(lines["of_queue"].ends_with("wait_for_value, awaits queue.get()")) << lines["of_queue"];
        EXPECT_TRUE(lines["of_task"].ends_with("wait_for_task, awaits sleeper")) << lines["of_task"];
        EXPECT_TRUE(lines["of_gather"].ends_with("awaits gather of 2, 2 unfinished")) << lines["of_gather"];
        EXPECT_NE(lines["of_future"].find("awaits a future"), std::string::npos) << lines["of_future"];
        EXPECT_TRUE(lines["deeper"].ends_with("wait_deeper, awaits event.wait()")) << lines["deeper"];
        EXPECT_TRUE(lines["fresh"].ends_with("nothing, ready")) << lines["fresh"];
        EXPECT_TRUE(lines["Task-1"].ends_with(", running")) << lines["Task-1"];
        EXPECT_EQ(describe(current_task()).find("Task-1 "), 0u);
        co_await all.back();
        EXPECT_NE(describe(all.back()).find("nothing, finished, made at "), std::string::npos);
        f.set_result(1);
        EXPECT_EQ(describe(f).find("a future, finished"), 0u);
        for (const task<>& t : all) t.cancel();
        for (const task<>& t : all) co_await until_done(t);  // what they wait for goes with this frame
    };
    debug(body());
}

TEST_P(debug_test, conformance_039_the_list_is_there_without_debug_mode) {
    auto body = [&]() -> coro<> {
        event e;
        const task<> t = create_task(wait_for_event(e), "waiter");
        co_await sleep(0ns);
        EXPECT_EQ(describe(t), "waiter, awaits event.wait()");
        EXPECT_EQ(describe_tasks(get_running_loop()), "Task-1, running\nwaiter, awaits event.wait()\n");
        t.cancel();
        EXPECT_EQ(describe(t), "waiter, ready");
        co_await until_done(t);
        EXPECT_EQ(describe(t), "waiter, cancelled");
    };
    run(body());
}

CROSSOVER_ON_EACH_BACK_END(debug_test);

}  // namespace
}  // namespace crossover::asyncio
