// A hundred waits of 20 ms each take about 20 ms on one thread.
#include <chrono>
#include <cstdio>
#include <vector>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<int> wait_a_little(int n) {
    co_await sleep(20ms);
    co_return n;
}

coro<> main_coroutine() {
    const auto before = loop::time();
    std::vector<coro<int>> all;
    for (int i = 0; i < 100; ++i) all.push_back(wait_a_little(i));
    const std::vector<int> results = co_await gather(std::move(all));
    std::printf("%zu tasks done\n", results.size());
    std::puts(loop::time() - before < 1s ? "at the same time" : "one after another");
}

int main() { run(main_coroutine()); }
