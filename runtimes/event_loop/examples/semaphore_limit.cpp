// A semaphore: never more than three downloads at once.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

int running = 0;
int most = 0;

coro<> download(semaphore& limit) {
    const semaphore::permit held = co_await limit.scoped();
    most = std::max(most, ++running);
    co_await sleep(1ms);
    --running;
}

coro<> main_coroutine() {
    semaphore limit(3);
    std::vector<coro<>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(download(limit));
    co_await gather(std::move(all));
    std::printf("at most %d at once\n", most);
}

int main() { run(main_coroutine()); }
