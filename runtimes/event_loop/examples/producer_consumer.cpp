// A queue between a producer and a slower consumer, with an end mark.
#include <chrono>
#include <cstdio>
#include <optional>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/sync/queue.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<> producer(queue<std::optional<int>>& q) {
    for (int i = 0; i < 4; ++i) {
        co_await sleep(200ms);
        std::printf("produced %d\n", i);
        co_await q.put(i);
    }
    co_await q.put(std::nullopt);
}

coro<> consumer(queue<std::optional<int>>& q) {
    for (;;) {
        const std::optional<int> item = co_await q.get();
        if (!item) break;
        std::printf("consumed %d\n", *item);
        co_await sleep(500ms);
    }
}

coro<> main_coroutine() {
    queue<std::optional<int>> q;
    task<> consuming = create_task(consumer(q));
    co_await producer(q);
    co_await consuming;
}

int main() { run(main_coroutine()); }
