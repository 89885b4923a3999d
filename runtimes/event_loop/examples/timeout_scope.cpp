// timeout: work that takes too long is cancelled, and a timeout_error is thrown.
#include <chrono>
#include <cstdio>

#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> long_work() {
    std::puts("work started");
    try {
        co_await sleep(1h);
    } catch (const cancelled_error&) {
        std::puts("work was cancelled");
        throw;
    }
}

coro<> main_coroutine() {
    try {
        co_await timeout(10ms, long_work());
    } catch (const timeout_error&) {
        std::puts("timed out");
    }
}

int main() { run(main_coroutine()); }
