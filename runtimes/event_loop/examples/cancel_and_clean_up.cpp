// cancel: the task cleans up and lets the cancellation continue; awaiting the task throws.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> worker() {
    try {
        for (int n = 1;; ++n) {
            std::printf("working %d\n", n);
            co_await sleep(200ms);
        }
    } catch (const cancelled_error&) {
        std::puts("was cancelled, cleaning up");
        throw;  // swallowing it would leave a task that nobody can stop
    }
}

coro<> main_coroutine() {
    task<> t = create_task(worker());
    co_await sleep(300ms);
    t.cancel();
    try {
        co_await t;
    } catch (const cancelled_error&) {
        std::puts("main: the task was cancelled");
    }
}

int main() { run(main_coroutine()); }
