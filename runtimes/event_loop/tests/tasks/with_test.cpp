// Resource scopes.
#include "runtimes/event_loop/tasks/with.hpp"

#include <stdexcept>

#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class with_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(with_test);

class resource {
  public:
    explicit resource(log& l, bool fails = false) : log_(l), fails_(fails) {}
    coro<> enter() {
        co_await sleep(0ns);
        if (fails_) throw std::runtime_error("cannot open");
        log_.push_back("open");
    }
    coro<> leave(std::exception_ptr thrown) {
        co_await sleep(0ns);
        log_.push_back(!thrown ? "close" : is_cancelled_error(thrown) ? "close cancelled" : "close failed");
    }

  private:
    log& log_;
    bool fails_;
};

TEST_P(with_test, releases_after_the_body_and_gives_its_result) {
    log seen;
    const int n = run([](log& l) -> coro<int> {
        resource r(l);
        auto body = [&l](resource&) -> coro<int> {
            l.push_back("body");
            co_return 7;
        };
        co_return co_await with(r, body);
    }(seen));
    EXPECT_EQ(7, n);
    EXPECT_EQ((log{"open", "body", "close"}), seen);
}

TEST_P(with_test, releases_when_the_body_throws_or_is_cancelled_but_not_what_was_never_acquired) {
    log seen;
    run([](log& l) -> coro<> {
        resource r(l);
        auto fails = [](resource&) -> coro<> {
            co_await sleep(0ns);
            throw std::out_of_range("body");
        };
        bool threw = false;
        try {
            co_await with(r, fails);
        } catch (const std::out_of_range&) {
            threw = true;
        }
        EXPECT_TRUE(threw);
        auto hangs = [](resource&) -> coro<> { co_await sleep(1h); };
        auto t = create_task(with(r, hangs));
        for (int i = 0; i < 3; ++i) co_await sleep(0ns);
        t.cancel();
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        resource broken(l, true);
        threw = false;
        try {
            co_await with(broken, hangs);
        } catch (const std::runtime_error&) {
            threw = true;
        }
        EXPECT_TRUE(threw);
    }(seen));
    EXPECT_EQ((log{"open", "close failed", "open", "close cancelled"}), seen);
}

}  // namespace
}  // namespace crossover::asyncio
