// Futures and waiting for outcomes: what does not depend on the type of the result.
#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

void throw_instead_of_value(outcome& o) {
    switch (o.state) {
        case phase::failed:
            o.clear(flag::unretrieved);
            std::rethrow_exception(o.get_error());
        case phase::cancelled:
            if (o.get_error()) std::rethrow_exception(o.get_error());
            throw cancelled_error();
        default:
            throw invalid_state_error("the result is not there yet: await it");
    }
}

bool cancel_future(outcome& o, std::string_view message) {
    if (o.done()) return false;
    // What stands for several others (gather) has the cancellation done to them.
    task_state& t = task_state::of(o);
    if (t.awaiting) return t.awaiting->cancel(t, message);
    o.set_error(message.empty() ? nullptr : std::make_exception_ptr(cancelled_error(std::string(message))));
    o.state = phase::cancelled;
    announce(o);
    return true;
}

bool any_future::cancel(std::string_view message) const {
    check_thread(*outcome_);
    outcome_->clear(flag::unretrieved);  // whoever cancels does not want to hear of it any more
    return outcome_->has(flag::is_task) ? task_state::of(*outcome_).cancel(message)
                                        : cancel_future(*outcome_, message);
}

std::exception_ptr any_future::exception() const {
    if (outcome_->state == phase::failed) {
        outcome_->clear(flag::unretrieved);
        return outcome_->get_error();
    }
    throw_unless_finished(*outcome_);
    return nullptr;
}

void outcome_wait::await_suspend(std::coroutine_handle<> h) {
    task_state& t = running_task();
    if (target_->owner != t.result.owner)
        throw std::logic_error("awaiting a task or future that belongs to another loop");
    if (target_ == &t.result) throw std::logic_error("a task cannot await itself");
    waiter_ = &t;
    subscribe(*target_, *this);
    park(t, h, *this);
}

bool outcome_wait::cancel(task_state&, std::string_view message) {
    return any_future(*target_).cancel(message);
}

bool outcome_wait::give_up(task_state& t, std::string_view message) {
    if (target_->done()) return false;
    unsubscribe(*target_, *this);
    end_wait(t, message);
    wake(t);
    return true;
}

std::string outcome_wait::describe() const {
    if (target_->has(flag::is_task)) return target_->owner->name_of(task_state::of(*target_));
    if (const pending* const stands_for = task_state::of(*target_).awaiting) return stands_for->describe();
    std::string text = "a future";
    if (const auto* const n = target_->owner->find_notes(*target_)) append_creation(text, *n);
    return text;
}

void outcome_wait::on_cancelled(task_state& waiter, const outcome& target) {
    // Without a message the waiter's own cancellation says the same.
    if (waiter.result.has(flag::catchless) && !target.get_error()) end_wait(waiter, {});
}

void outcome_wait::throw_cancellation() {
    // If the target was cancelled too, it is its cancellation that comes out; a gather() fails with it.
    if (target_->state != phase::cancelled &&
        (target_->state != phase::failed || !is_cancelled_error(target_->get_error()))) {
        target_->clear(flag::unretrieved);  // it had been told to this task
        throw_interrupt(*waiter_);
    }
    waiter_->result.clear(flag::interrupted | flag::wait_over);
    throw_instead_of_value(*target_);
}

}  // namespace crossover::asyncio
