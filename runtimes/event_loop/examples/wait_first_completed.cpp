// wait: sets of done and pending tasks, so partial results can be used.
#include <chrono>
#include <cstdio>
#include <vector>

#include "runtimes/event_loop/combinators/wait.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<int> fetch(int n, std::chrono::milliseconds time) {
    co_await sleep(time);
    co_return n;
}

coro<> main_coroutine() {
    std::vector<task<int>> all;
    all.push_back(create_task(fetch(1, 10s)));
    all.push_back(create_task(fetch(2, 5ms)));
    const auto parts = co_await wait(all, return_when::first_completed);
    std::printf("%zu done, %zu pending\n", parts.done.size(), parts.pending.size());
    for (const auto& t : parts.done) std::printf("result %d\n", t.result());
    for (const auto& t : parts.pending) t.cancel();
}

int main() { run(main_coroutine()); }
