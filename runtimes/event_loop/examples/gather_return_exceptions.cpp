// gather with return_exceptions: failures are returned as values, in their places.
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
    const auto [a, b, c] = co_await gather(return_exceptions, fetch(1), fetch(2), fetch(3));
    for (const auto* one : {&a, &b, &c}) {
        try {
            std::printf("%s\n", one->value().c_str());
        } catch (const std::exception& e) {
            std::printf("error: %s\n", e.what());
        }
    }
}

int main() { run(main_coroutine()); }
