// A blocking sleep in tasks: it stops the loop, so they run one after the other.
#include <chrono>
#include <cstdio>
#include <thread>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> fetch(int n) {
    std::printf("started %d\n", n);
    std::this_thread::sleep_for(20ms);  // the mistake: nothing is awaited
    std::printf("done %d\n", n);
    co_return;
}

coro<> main_coroutine() {
    task<> first = create_task(fetch(1));
    task<> second = create_task(fetch(2));
    co_await first;
    co_await second;
}

int main() { run(main_coroutine()); }
