// A crawler: ten pages, three at a time, each with a timeout; errors are values.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"

using namespace crossover::asyncio;
using namespace std::chrono_literals;

coro<std::string> download(int page) {
    co_await sleep(page == 5 ? std::chrono::milliseconds(1h) : 2ms);
    co_return "page " + std::to_string(page);
}

coro<std::string> fetch(int page, semaphore& limit) {
    const semaphore::permit held = co_await limit.scoped();
    co_return co_await timeout(200ms, download(page));
}

coro<> main_coroutine() {
    semaphore limit(3);
    std::vector<coro<std::string>> pages;
    for (int i = 1; i <= 11; ++i) pages.push_back(fetch(i, limit));
    const auto results = co_await gather(return_exceptions, std::move(pages));
    int fetched = 0;
    for (const auto& r : results) fetched += r.has_value();
    std::printf("Successfully fetched %d pages\n", fetched);
}

int main() { run(main_coroutine()); }
