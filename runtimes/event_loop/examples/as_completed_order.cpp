// as_completed: results in the order of completion.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "runtimes/event_loop/combinators/wait.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<std::string> fetch(std::string name, std::chrono::milliseconds time) {
    co_await sleep(time);
    co_return name;
}

coro<> main_coroutine() {
    std::vector<coro<std::string>> all;
    all.push_back(fetch("A", 300ms));
    all.push_back(fetch("B", 1ms));
    all.push_back(fetch("C", 600ms));
    auto order = as_completed(std::move(all));
    while (order.has_next()) {
        const task<std::string> next = co_await order.next();
        std::puts(next.result().c_str());
    }
}

int main() { run(main_coroutine()); }
