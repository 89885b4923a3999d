// A coroutine that is neither awaited nor made a task never runs; [[nodiscard]] makes it a warning.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> never_runs() {
    std::puts("this line never appears");
    co_return;
}

coro<> main_coroutine() {
    static_cast<void>(never_runs());  // without the cast the compiler warns
    co_await sleep(1ms);
    std::puts("main done");
}

int main() { run(main_coroutine()); }
