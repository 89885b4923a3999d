// How many iterations of the loop each await takes: the same as in CPython, where they were counted.
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/combinators/wait.hpp"
#include "runtimes/event_loop/sync/barrier.hpp"
#include "runtimes/event_loop/sync/condition.hpp"
#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class iterations_test : public on_each_back_end {
  protected:
    // Of the awaits in `what`, in a loop that has nothing else to do.
    template <class What>
    std::uint64_t of(What what) {
        return run([](What body) -> coro<std::uint64_t> {
            const std::uint64_t before = get_running_loop().iterations();
            co_await body();
            co_return get_running_loop().iterations() - before;
        }(what));
    }
};

coro<int> one() { co_return 1; }
coro<> fails() {
    throw std::runtime_error("failed");
    co_return;
}
coro<> idles() { co_await sleep(1h); }

coro<> chain(int depth) {
    if (depth == 0) co_return;
    const task<> t = create_task(chain(depth - 1));
    co_await t;
}
coro<> idle_chain(int depth) {
    if (depth == 0) {
        co_await sleep(1h);
        co_return;
    }
    const task<> t = create_task(idle_chain(depth - 1));
    co_await t;
}

// A future that has its result in the next iteration.
future<int> soon() {
    future<int> f(get_running_loop());
    get_running_loop().call_soon([f] { f.set_result(1); });
    return f;
}
future<int> done_already() {
    future<int> f(get_running_loop());
    f.set_result(1);
    return f;
}

TEST_P(iterations_test, of_tasks_and_futures) {
    EXPECT_EQ(0u, of([]() -> coro<> { static_cast<void>(co_await one()); }));
    EXPECT_EQ(2u, of([]() -> coro<> { static_cast<void>(co_await create_task(one())); }));
    EXPECT_EQ(3u, of([]() -> coro<> { co_await create_task(steps(1)); }));
    EXPECT_EQ(6u, of([] { return chain(3); }));
    EXPECT_EQ(2u, of([]() -> coro<> { static_cast<void>(co_await soon()); }));
    EXPECT_EQ(3u, of([]() -> coro<> { static_cast<void>(co_await shield(soon())); }));
    EXPECT_EQ(3u, of([]() -> coro<> { static_cast<void>(co_await shield(one())); }));
    EXPECT_EQ(2u, of([]() -> coro<> {
                  const future<int> f = done_already();
                  future<int> other(get_running_loop());
                  f.add_done_callback([other](const future<int>&) { other.set_result(1); });
                  static_cast<void>(co_await other);
              }));
}

TEST_P(iterations_test, of_gather) {
    EXPECT_EQ(3u, of([]() -> coro<> { static_cast<void>(co_await gather(one(), one())); }));
    EXPECT_EQ(4u, of([]() -> coro<> { static_cast<void>(co_await gather(gather(one(), one()), one())); }));
    EXPECT_EQ(3u, of([]() -> coro<> {
                  auto both = gather(fails(), steps(5));
                  co_await until_done(both);
                  EXPECT_NE(both.exception(), nullptr);
              }));
    EXPECT_EQ(4u, of([]() -> coro<> {
                  auto both = gather(idles(), idles());
                  co_await sleep(0ns);
                  both.cancel();
                  co_await until_done(both);
                  EXPECT_NE(both.exception(), nullptr);
              }));
}

TEST_P(iterations_test, of_wait_and_as_completed) {
    EXPECT_EQ(4u, of([]() -> coro<> {
                  std::vector<task<>> all;
                  all.push_back(create_task(steps(0)));
                  all.push_back(create_task(steps(1)));
                  static_cast<void>(co_await wait(all));
              }));
    EXPECT_EQ(3u, of([]() -> coro<> {
                  std::vector<task<>> all;
                  all.push_back(create_task(steps(0)));
                  all.push_back(create_task(steps(9)));
                  static_cast<void>(co_await wait(all, return_when::first_completed));
              }));
    EXPECT_EQ(2u, of([]() -> coro<> {
                  const std::vector<future<int>> all(1, done_already());
                  static_cast<void>(co_await wait(all));
              }));
    EXPECT_EQ(4u, of([]() -> coro<> {
                  std::vector<task<>> all;
                  all.push_back(create_task(steps(0)));
                  all.push_back(create_task(steps(1)));
                  auto each = as_completed(all);
                  static_cast<void>(co_await each.next());
                  static_cast<void>(co_await each.next());
              }));
}

TEST_P(iterations_test, of_timeouts) {
    EXPECT_EQ(1u, of([]() -> coro<> { co_await wait_for(steps(1), 1h); }));
    EXPECT_EQ(2u, of([]() -> coro<> { static_cast<void>(co_await wait_for(create_task(one()), 1h)); }));
    EXPECT_EQ(2u, of([]() -> coro<> {
                  try {
                      co_await timeout(-1s, idles());
                  } catch (const timeout_error&) {
                  }
              }));
}

// Runs the body in a group; its failure is no failure.
template <class Body>
coro<> grouped(Body body) {
    task_group group;
    try {
        co_await with(group, body);
    } catch (const exception_group&) {
    }
}

TEST_P(iterations_test, of_groups) {
    EXPECT_EQ(0u, of([] { return grouped([](task_group&) -> coro<> { co_return; }); }));
    EXPECT_EQ(4u, of([] {
                  return grouped([](task_group& g) -> coro<> {
                      static_cast<void>(g.create_task(steps(0)));
                      static_cast<void>(g.create_task(steps(1)));
                      co_return;
                  });
              }));
    EXPECT_EQ(4u, of([] {
                  return grouped([](task_group& g) -> coro<> {
                      static_cast<void>(g.create_task(fails()));
                      static_cast<void>(g.create_task(steps(50)));
                      co_await sleep(1h);
                  });
              }));
    EXPECT_EQ(5u, of([] {
                  return grouped([](task_group& g) -> coro<> {
                      static_cast<void>(g.create_task(fails()));
                      static_cast<void>(g.create_task(idles()));
                      co_await sleep(1h);
                  });
              }));
    EXPECT_EQ(5u, of([] {
                  return grouped([](task_group& g) -> coro<> {
                      static_cast<void>(g.create_task(fails()));
                      static_cast<void>(g.create_task(idles()));
                      co_return;
                  });
              }));
}

TEST_P(iterations_test, of_cancels) {
    EXPECT_EQ(3u, of([]() -> coro<> {
                  const task<> t = create_task(idles());
                  co_await sleep(0ns);
                  t.cancel();
                  co_await until_done(t);
              }));
    EXPECT_EQ(11u, of([]() -> coro<> {
                  const task<> t = create_task(idle_chain(3));
                  co_await steps(6);
                  t.cancel();
                  co_await until_done(t);
              }));
    EXPECT_EQ(2u, of([]() -> coro<> {
                  const task<> t = create_task(idles());
                  t.cancel();
                  co_await until_done(t);
              }));
}

coro<> passes(lock& l) { const lock::guard held = co_await l.scoped(); }
coro<> passes(semaphore& s) { const semaphore::permit p = co_await s.scoped(); }
coro<> waits(condition& c) {
    const lock::guard held = co_await c.scoped();
    co_await c.wait();
}

TEST_P(iterations_test, of_locks) {
    EXPECT_EQ(3u, of([]() -> coro<> {
                  event e;
                  const task<> t = create_task(e.wait());
                  co_await sleep(0ns);
                  e.set();
                  co_await t;
              }));
    EXPECT_EQ(3u, of([]() -> coro<> {
                  lock l;
                  co_await l.acquire();
                  const task<> a = create_task(passes(l));
                  const task<> b = create_task(passes(l));
                  co_await sleep(0ns);
                  l.release();
                  co_await a;
                  co_await b;
              }));
    EXPECT_EQ(3u, of([]() -> coro<> {
                  semaphore s(1);
                  co_await s.acquire();
                  const task<> a = create_task(passes(s));
                  const task<> b = create_task(passes(s));
                  co_await sleep(0ns);
                  s.release();
                  co_await a;
                  co_await b;
              }));
    EXPECT_EQ(3u, of([]() -> coro<> {
                  condition c;
                  std::vector<task<>> all;
                  for (int i = 0; i < 3; ++i) all.push_back(create_task(waits(c)));
                  co_await sleep(0ns);
                  co_await c.acquire();
                  c.notify_all();
                  c.release();
                  for (const task<>& t : all) co_await t;
              }));
    EXPECT_EQ(3u, of([]() -> coro<> {
                  barrier b(3);
                  std::vector<task<std::size_t>> all;
                  for (int i = 0; i < 3; ++i) all.push_back(create_task(b.wait()));
                  for (const auto& t : all) static_cast<void>(co_await t);
              }));
}

TEST_P(iterations_test, of_queues) {
    EXPECT_EQ(10u, of([]() -> coro<> {
                  queue<int> q(1);
                  auto puts = [&]() -> coro<> {
                      for (int i = 0; i < 5; ++i) co_await q.put(i);
                  };
                  const task<> t = create_task(puts());
                  for (int i = 0; i < 5; ++i) static_cast<void>(co_await q.get());
                  co_await t;
              }));
    EXPECT_EQ(8u, of([]() -> coro<> {
                  queue<int> q;
                  auto deals = [&]() -> coro<> {
                      for (;;) {
                          static_cast<void>(co_await q.get());
                          co_await sleep(0ns);
                          q.task_done();
                      }
                  };
                  const task<> t = create_task(deals());
                  for (int i = 0; i < 4; ++i) q.put_nowait(i);
                  co_await q.join();
                  t.cancel();
                  co_await until_done(t);
              }));
}

CROSSOVER_ON_EACH_BACK_END(iterations_test);

}  // namespace
}  // namespace crossover::asyncio
