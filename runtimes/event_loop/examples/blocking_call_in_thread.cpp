// to_thread: a call that blocks, while the loop goes on ticking.
#include <chrono>
#include <cstdio>
#include <thread>

#include "runtimes/event_loop/run.hpp"
#include "runtimes/event_loop/sleep.hpp"
#include "runtimes/event_loop/thread_executor.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

int blocking_library_call(int n) {
    std::this_thread::sleep_for(300ms);
    return n * n;
}

coro<> ticker(int& ticks) {
    for (;; ++ticks) co_await sleep(5ms);
}

coro<> main_coroutine() {
    int ticks = 0;
    task<> ticking = create_task(ticker(ticks));
    const int result = co_await to_thread(&blocking_library_call, 7);
    std::printf("result %d, %s\n", result, ticks > 2 ? "the loop went on ticking" : "the loop stood still");
    ticking.cancel();
}

int main() { run(main_coroutine()); }
