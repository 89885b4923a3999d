// A process executor: heavy sums in other processes, the loop stays free.
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/executors/process_executor.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

std::uint64_t heavy_math(std::uint64_t n) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) sum += i * i;
    return sum;
}

coro<> ticker() {
    for (;;) co_await sleep(1ms);
}

coro<> main_coroutine() {
    process_executor pool(2);
    task<> ticking = create_task(ticker());
    auto first = run_in_executor(pool, &heavy_math, std::uint64_t{10'000});
    auto second = run_in_executor(pool, &heavy_math, std::uint64_t{20'000});
    const auto [a, b] = co_await gather(first, second);
    std::printf("%llu\n%llu\n", static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
    std::puts(ticking.done() ? "the loop stood still" : "the loop is free");
}

int main() { run(main_coroutine()); }
