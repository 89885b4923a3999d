// run(): the clean-up after the main coroutine.
#include "runtimes/event_loop/run.hpp"

namespace crossover::asyncio {
namespace {

coro<void> all_done(std::vector<any_task> tasks) {
    for (const any_task& t : tasks) co_await until_done(t);
}

}  // namespace

void cancel_leftovers(loop& l) {
    const std::vector<any_task> left = all_tasks(l);
    if (left.empty()) return;
    cancel_all({left.begin(), left.end()});
    l.run_until_complete(all_done(left));
    for (const any_task& t : left) {
        if (t.cancelled()) continue;
        if (const std::exception_ptr e = t.exception())
            l.call_exception_handler({"unhandled exception during run() shutdown", e, t.name()});
    }
}

}  // namespace crossover::asyncio
