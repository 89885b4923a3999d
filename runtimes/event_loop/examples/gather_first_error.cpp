// gather without return_exceptions: the first error is thrown at once, siblings keep running.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<std::string> fetch(int n) {
    co_await sleep(n * 10ms);
    if (n == 2) throw std::runtime_error("fetch 2 failed");
    std::printf("fetch %d done\n", n);
    co_return "data " + std::to_string(n);
}

coro<> main_coroutine() {
    try {
        co_await gather(fetch(1), fetch(2), fetch(20));
    } catch (const std::runtime_error& e) {
        std::printf("gather threw: %s\n", e.what());
    }
    co_await sleep(500ms);
}

int main() { run(main_coroutine()); }
