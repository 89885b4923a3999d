// Callbacks run in a copy of the context in which they were asked for.
#include <thread>

#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

using variable = context_var<std::string>;

class callback_context_test : public on_each_back_end {
  public:
    variable v{"v", "nothing"};
    log seen;
    void see() { seen.push_back(v.get()); }
};
CROSSOVER_ON_EACH_BACK_END(callback_context_test);

coro<> turns(int n) {
    for (int i = 0; i < n; ++i) co_await sleep(0ns);
}

TEST_P(callback_context_test, callbacks_and_timers_see_what_was_set_when_they_were_asked_for) {
    run([](callback_context_test& self) -> coro<> {
        loop& l = get_running_loop();
        future<> over(l);
        self.v.set("first");
        l.call_soon([&] { self.see(); });
        l.call_later(0ns, [&] {
            self.see();
            over.set_result();
        });
        self.v.set("second");
        l.call_soon([&] { self.see(); });
        co_await over;
    }(*this));
    EXPECT_EQ(seen, (log{"first", "second", "first"}));
}

TEST_P(callback_context_test, what_a_callback_sets_is_seen_by_what_it_asks_for_and_by_nobody_else) {
    run([](callback_context_test& self) -> coro<> {
        loop& l = get_running_loop();
        l.call_soon([&] {
            self.v.set("the callback's");
            l.call_soon([&] { self.see(); });
            static_cast<void>(l.create_task([](callback_context_test& s) -> coro<> {
                s.see();
                co_return;
            }(self)));
            l.call_soon(copy_context().bind([&] { self.v.set("in a copy"); }));
        });
        l.call_soon([&] { self.see(); });
        co_await turns(3);
        self.see();
    }(*this));
    see();
    EXPECT_EQ(seen, (log{"nothing", "the callback's", "the callback's", "nothing", "nothing"}));
}

TEST_P(callback_context_test, a_callback_that_nobody_gave_a_value_leaves_none_behind) {
    run([](callback_context_test& self) -> coro<> {
        self.v.set("main's");
        const context none;
        none.run([&] {
            get_running_loop().call_soon([&] { self.v.set("lost"); });
            get_running_loop().call_soon([&] { self.see(); });
        });
        co_await turns(1);
    }(*this));
    EXPECT_EQ(seen, log{"nothing"});
}

TEST_P(callback_context_test, a_done_callback_sees_the_context_of_its_registration) {
    run([](callback_context_test& self) -> coro<> {
        const future<int> f(get_running_loop());
        self.v.set("registered");
        f.add_done_callback([&](const future<int>&) { self.see(); });
        self.v.set("done");
        f.set_result(1);
        f.add_done_callback([&](const future<int>&) { self.see(); });
        self.v.set("later");
        co_await turns(1);
    }(*this));
    EXPECT_EQ(seen, (log{"registered", "done"}));
}

TEST_P(callback_context_test, a_bound_callback_runs_in_its_context_and_changes_it) {
    const context own;
    run([](callback_context_test& self, const context& in) -> coro<> {
        loop& l = get_running_loop();
        self.v.set("main's");
        const future<int> f(l);
        l.call_soon(in.bind([&](const std::string& to) {
            self.see();
            self.v.set(to);
        }),
                    "argument");
        l.call_soon(in.bind([&] { self.see(); }));
        f.add_done_callback(in.bind([&](const future<int>& ended) {
            self.see();
            self.v.set(std::to_string(ended.result()));
        }));
        f.set_result(7);
        co_await turns(1);
    }(*this, own));
    EXPECT_EQ(seen, (log{"nothing", "argument", "argument"}));
    EXPECT_EQ(v.get(own), "7");
}

TEST_P(callback_context_test, a_callback_from_another_thread_sees_that_threads_context) {
    run([](callback_context_test& self) -> coro<> {
        loop& l = get_running_loop();
        self.v.set("main's");
        future<> over(l);
        std::thread other([&] {
            self.v.set("the other thread's");
            l.call_soon_threadsafe([&] {
                self.see();
                over.set_result();
            });
        });
        co_await over;
        other.join();
    }(*this));
    EXPECT_EQ(seen, log{"the other thread's"});
}

TEST_P(callback_context_test, a_callback_asked_for_before_the_loop_runs_sees_the_threads_context) {
    const auto before = v.set("the thread's");
    loop l(options());
    l.call_soon([&] {
        see();
        v.set("not the thread's");
    });
    l.call_soon([&] { l.stop(); });
    l.run_forever();
    see();
    v.reset(before);
    EXPECT_EQ(seen, (log{"the thread's", "the thread's"}));
}

}  // namespace
}  // namespace crossover::asyncio
