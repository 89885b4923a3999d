// condition: waiting, and reacquiring the lock afterwards whatever happens.
#include "runtimes/event_loop/sync/condition.hpp"

namespace crossover::asyncio {

coro<void> condition::wait() {
    if (!lock_.locked()) throw std::logic_error("condition: the lock must be held to wait");
    lock_.release();
    std::exception_ptr cancelled;
    try {
        co_await notice_wait(*this);
    } catch (const cancelled_error&) {
        cancelled = std::current_exception();
    }
    for (bool held = false; !held;) {
        try {
            co_await lock_.acquire();
            held = true;
        } catch (const cancelled_error&) {
            cancelled = std::current_exception();
        }
    }
    if (!cancelled) co_return;
    wake(1);  // this task may have been notified: let another have it
    std::rethrow_exception(cancelled);
}

void condition::notify(std::size_t n) {
    if (!lock_.locked()) throw std::logic_error("condition: the lock must be held to notify");
    wake(n);
}

}  // namespace crossover::asyncio
