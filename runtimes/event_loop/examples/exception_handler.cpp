// The loop's exception handler gets the exception of a failed task that nobody awaited.
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> failing() {
    co_await sleep(1ms);
    throw std::runtime_error("nobody was listening");
}

coro<> main_coroutine() {
    get_running_loop().set_exception_handler(
        [](loop&, const error_report& report) { std::printf("handler: %s\n", report.message.c_str()); });
    {
        task<> forgotten = create_task(failing());
        co_await sleep(200ms);
    }
    std::puts("main done");
}

int main() { run(main_coroutine()); }
