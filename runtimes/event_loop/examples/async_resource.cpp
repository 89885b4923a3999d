// A resource scope: opened before the body and closed after it, even if the body throws.
#include <cstdio>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/tasks/with.hpp"

using namespace crossover::asyncio;

class remote_file {
  public:
    coro<> enter() {
        std::puts("opening");
        co_return;
    }
    coro<> leave(std::exception_ptr thrown) {
        std::puts(thrown ? "closing after an error" : "closing");
        co_return;
    }
};

coro<> work(remote_file&) {
    std::puts("working");
    co_return;
}

coro<> fail(remote_file& file) {
    co_await work(file);
    throw std::runtime_error("disk full");
}

coro<> main_coroutine() {
    remote_file file;
    co_await with(file, &work);
    co_await with(file, &fail);
}

int main() try { run(main_coroutine()); } catch (const std::exception& e) {
    std::puts(e.what());
}
