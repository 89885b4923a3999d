// A failing task that nobody awaits is silent at first: a done callback surfaces its exception.
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

void surface(const task<>& t) {
    try {
        t.result();
    } catch (const std::exception& e) {
        std::printf("%s failed: %s\n", t.name().c_str(), e.what());
    }
}

coro<> main_coroutine() {
    task<> t = create_task(failing(), "importer");
    t.add_done_callback(&surface);
    co_await sleep(200ms);
    std::puts("main done");
}

int main() { run(main_coroutine()); }
