// run(): the loop of a runner, and the clean-up after its last main coroutine.
#include "runtimes/event_loop/loop/run.hpp"

namespace crossover::asyncio {
namespace {

coro<void> all_done(std::vector<any_task> tasks) {
    for (const any_task& t : tasks) co_await until_done(t);
}

}  // namespace

void cancel_leftovers(loop& l) {
    if (!l.of_this_process()) return;
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

loop& runner::get_loop() {
    if (closed_) throw std::logic_error("the runner is closed");
    if (!loop_) loop_.emplace(options_);
    return *loop_;
}

loop& runner::idle_loop() {
    if (running_loop && running_loop->of_this_process())
        throw std::logic_error(
            "run() cannot be called from a running event loop: co_await the coroutine instead");
    return get_loop();
}

void runner::close() {
    if (std::exchange(closed_, true) || !loop_) return;
    struct at_end {
        explicit at_end(loop& l) : self(l) {}
        ~at_end() { self.close(); }
        loop& self;
    } const closes(*loop_);
    cancel_leftovers(*loop_);
    finish_default_executor(*loop_);
}

runner::~runner() {
    const bool on_error = std::uncaught_exceptions() != 0;
    try {
        close();
    } catch (const loop_exit&) {  // another exception is on its way out of run()
    } catch (...) {
        if (!on_error)
            loop_->call_exception_handler({"Exception while a runner closed", std::current_exception(), {}});
    }
}

}  // namespace crossover::asyncio
