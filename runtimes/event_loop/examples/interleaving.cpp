// sleep(0) yields for one iteration: two tasks alternate strictly.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> count(const char* name) {
    for (int i = 1; i <= 3; ++i) {
        std::printf("%s %d\n", name, i);
        co_await sleep(0ms);
    }
}

coro<> main_coroutine() {
    task<> a = create_task(count("a"));
    task<> b = create_task(count("b"));
    co_await a;
    co_await b;
}

int main() { run(main_coroutine()); }
