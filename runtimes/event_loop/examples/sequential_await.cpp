// Two coroutines awaited one after the other: the second starts when the first is done.
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
    const auto before = loop::time();
    co_await fetch(1, 20ms);
    co_await fetch(2, 20ms);
    std::puts(loop::time() - before >= 40ms ? "took the sum of both times" : "too fast");
}

int main() { run(main_coroutine()); }
