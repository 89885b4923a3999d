// task_group: how the first failure ends the others.
#include "runtimes/event_loop/combinators/task_group.hpp"

namespace crossover::asyncio {

task_group::~task_group() {
    for (const auto& [number, c] : children_) c.end->drop();
}

void task_group::check_open() const {
    if (!entered_) throw std::logic_error("the task_group has not been entered");
    if (exiting_ && children_.empty()) throw std::logic_error("the task_group is finished");
    if (aborting_) throw std::logic_error("the task_group is shutting down");
}

void task_group::enter() {
    if (entered_) throw std::logic_error("the task_group has already been entered");
    parent_ = current_task();
    if (!parent_) throw std::logic_error("a task_group can only be used inside a task");
    entered_ = true;
}

void task_group::adopt(const any_task& t) {
    notice* const end = notice::attach(t.raw(), &on_child_end, this);
    end->place = created_++;
    children_.emplace(end->place, child{&t.state(), end});
}

void task_group::abort() {
    aborting_ = true;
    std::vector<any_future> alive;
    for (const auto& [number, c] : children_)
        if (!c.state->result.done()) alive.emplace_back(c.state->result);
    cancel_all(alive);
}

void task_group::on_child_end(void* owner, notice& n, outcome& o) {
    auto& self = *static_cast<task_group*>(owner);
    self.children_.erase(n.place);
    if (self.all_ended_ && self.children_.empty() && !self.all_ended_.done()) self.all_ended_.set_result();
    if (o.state != phase::failed) return;
    o.clear(flag::unretrieved);
    const std::exception_ptr& error = o.get_error();
    self.errors_.push_back(error);
    if (!self.base_error_ && is_loop_exit(error)) self.base_error_ = error;
    if (self.parent_.done()) {
        o.owner->call_exception_handler(
            {"a task of a task_group failed after its parent had ended", error, {}});
        return;
    }
    if (!self.aborting_ && !self.parent_cancel_requested_) {
        self.abort();
        self.parent_cancel_requested_ = true;
        self.parent_.cancel();
    }
}

coro<void> task_group::leave(std::exception_ptr thrown_by_body) {
    exiting_ = true;
    std::exception_ptr cancellation;
    if (thrown_by_body) {
        if (!base_error_ && is_loop_exit(thrown_by_body)) base_error_ = thrown_by_body;
        if (is_cancelled_error(thrown_by_body)) cancellation = thrown_by_body;
        if (!aborting_) abort();
    }
    // The parent may be cancelled more than once while it waits.
    while (!children_.empty()) {
        all_ended_ = future<void>(get_running_loop());
        try {
            co_await all_ended_;
        } catch (const cancelled_error&) {
            if (!aborting_) {
                cancellation = std::current_exception();
                abort();
            }
        }
        all_ended_ = future<void>();
    }
    if (base_error_) std::rethrow_exception(base_error_);
    if (parent_cancel_requested_ && parent_.uncancel() == 0) cancellation = nullptr;
    if (cancellation && errors_.empty()) std::rethrow_exception(cancellation);
    if (thrown_by_body && !is_cancelled_error(thrown_by_body)) errors_.push_back(thrown_by_body);
    if (errors_.empty()) co_return;
    // A request from outside the group stays: the next await of the parent is cancelled.
    if (parent_.cancelling()) {
        parent_.uncancel();
        parent_.cancel();
    }
    throw exception_group("unhandled errors in a task_group", std::move(errors_));
}

}  // namespace crossover::asyncio
