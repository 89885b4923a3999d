// A task that nobody awaits is cancelled when the main coroutine ends.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> background() {
    std::puts("background started");
    co_await sleep(1h);
    std::puts("background done");
}

coro<> main_coroutine() {
    task<> lost = create_task(background());
    co_await sleep(1ms);
    std::puts("main done");
}

int main() { run(main_coroutine()); }
