// gather: three at the same time, results in the order of the arguments.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<int> fetch(int n, std::chrono::milliseconds time) {
    co_await sleep(time);
    std::printf("done %d\n", n);
    co_return n * 10;
}

coro<> main_coroutine() {
    const auto [a, b, c] = co_await gather(fetch(1, 500ms), fetch(2, 250ms), fetch(3, 1ms));
    std::printf("results %d %d %d\n", a, b, c);
}

int main() { run(main_coroutine()); }
