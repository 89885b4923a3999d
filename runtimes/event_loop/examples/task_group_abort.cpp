// task_group: one failure cancels the siblings and is thrown as an exception group.
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> worker(int n) {
    try {
        co_await sleep(1h);
    } catch (const cancelled_error&) {
        std::printf("worker %d was cancelled\n", n);
        throw;
    }
}

coro<> mission(task_group& group) {
    task<> first = group.create_task(worker(1));
    task<> second = group.create_task(worker(2));
    co_await sleep(5ms);
    throw std::runtime_error("engine on fire");
}

coro<> main_coroutine() {
    task_group group;
    try {
        co_await with(group, &mission);
    } catch (const exception_group& errors) {
        std::printf("Mission aborted: %zu error\n", errors.exceptions().size());
    }
}

int main() { run(main_coroutine()); }
