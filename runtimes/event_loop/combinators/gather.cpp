// gather(): counting children.
#include "runtimes/event_loop/combinators/gather.hpp"

namespace crossover::asyncio {

void gathering::begin(outcome& outer, std::vector<any_future> children, bool exceptions_are_values,
                      collect_function collect) {
    if (children.empty()) return collect(outer, children);
    auto* const g = new gathering(outer, std::move(children), exceptions_are_values, collect);
    subscribe(outer, *g);
    task_state::of(outer).awaiting = g;
    // A child that stands in several places is told of in each.
    g->unfinished_ = g->children_.size();
    std::vector<any_future> done;
    for (const any_future& c : g->children_) {
        if (c.done())
            done.push_back(c);
        else
            notice::attach(c.raw(), &on_child_end, g);
    }
    for (const any_future& c : done) g->child_ended(c.raw());
}

void gathering::on_outer_end(completion& c, outcome& outer) {
    auto& self = static_cast<gathering&>(c);
    task_state::of(outer).awaiting = nullptr;
    self.outer_ = nullptr;
    if (!outer.done()) self.drop_children();  // else it ended in child_ended(), which does it
}

void gathering::drop_children() { const std::vector<any_future> dropped = std::move(children_); }

void gathering::on_child_end(void* owner, notice&, outcome& child) {
    static_cast<gathering*>(owner)->child_ended(child);
}

void gathering::child_ended(outcome& child) {
    const bool last = unfinished_ == 1;
    child.clear(flag::unretrieved);
    if (outer_) {
        if (!exceptions_are_values_ && child.state != phase::finished) {
            std::exception_ptr e = child.state == phase::pending ? nullptr : child.get_error();
            future<no_value>(*outer_).set_exception(e ? e : std::make_exception_ptr(cancelled_error()));
        } else if (last) {
            if (cancel_requested_)
                future<no_value>(*outer_).set_exception(child.state == phase::cancelled && child.get_error()
                                                            ? child.get_error()
                                                            : std::make_exception_ptr(cancelled_error()));
            else
                collect_(*outer_, children_);
        }
    }
    if (--unfinished_ == 0)
        delete this;
    else if (!outer_)
        drop_children();
}

bool gathering::cancel(task_state&, std::string_view message) {
    const bool any = cancel_all(std::vector(children_), message);
    cancel_requested_ |= any;
    return any;
}

std::string gathering::describe() const {
    return "gather of " + std::to_string(children_.size()) + ", " + std::to_string(unfinished_) +
           " unfinished";
}

}  // namespace crossover::asyncio
