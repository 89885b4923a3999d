// to_thread: a blocking call while the loop keeps running.
#include <chrono>
#include <cstdio>
#include <thread>

#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

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
