// The same two as tasks: both wait at the same time.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<int> fetch(int n, std::chrono::milliseconds time) {
    std::printf("started %d\n", n);
    co_await sleep(time);
    std::printf("done %d\n", n);
    co_return n;
}

coro<> main_coroutine() {
    task<int> first = create_task(fetch(1, 20ms));
    task<int> second = create_task(fetch(2, 20ms));
    const int a = co_await first;
    const int b = co_await second;
    std::printf("results %d and %d\n", a, b);
}

int main() { run(main_coroutine()); }
