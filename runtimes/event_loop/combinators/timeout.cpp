// Timeouts: the states of a scope.
#include "runtimes/event_loop/combinators/timeout.hpp"

#include "runtimes/event_loop/combinators/exception_group.hpp"

namespace crossover::asyncio {

void timeout_scope::enter() {
    if (state_ != state::created) throw std::logic_error("the timeout has already been entered");
    task_ = current_task();
    if (!task_) throw std::logic_error("a timeout can only be used inside a task");
    state_ = state::entered;
    cancelling_ = task_.cancelling();
    reschedule(deadline_);
}

void timeout_scope::reschedule(std::optional<time_point> deadline) {
    if (state_ == state::created) throw std::logic_error("the timeout has not been entered");
    if (state_ != state::entered)
        throw std::logic_error("cannot change a timeout that is expiring or has ended");
    deadline_ = deadline;
    alarm_.cancel();
    soon_.cancel();
    if (!deadline) return;
    loop& l = get_running_loop();
    if (*deadline <= loop::time())
        soon_ = l.call_soon([this] { expire(); });
    else if (*deadline != time_point::max())
        alarm_ = l.call_at(*deadline, [this] { expire(); });
}

void timeout_scope::expire() {
    task_.cancel();
    state_ = state::expiring;
}

bool timeout_scope::end() {
    alarm_.cancel();
    soon_.cancel();
    if (state_ != state::expiring) {
        state_ = state::exited;
        return false;
    }
    state_ = state::expired;
    return task_.uncancel() <= cancelling_;
}

void timeout_scope::leave() { end(); }

void timeout_scope::leave(const std::exception_ptr& thrown) {
    if (end() && is_cancelled_error(thrown)) throw timeout_error();
    std::rethrow_exception(thrown);
}

}  // namespace crossover::asyncio
