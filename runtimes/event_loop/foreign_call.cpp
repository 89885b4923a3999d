// The calls of a loop that other threads make.
#include "runtimes/event_loop/foreign_call.hpp"

namespace crossover::asyncio {

void loop_link::give_back(std::unique_ptr<foreign_call> call) noexcept {
    const std::lock_guard guard(lock_);
    if (!loop_) return;
    if (loop_->is_closed())
        late_.push_back(std::move(call));
    else
        loop_->call_soon_threadsafe([c = std::move(call)] { c->deliver(); });
}

foreign_calls::~foreign_calls() {
    link_->cut([this] {
        while (first_) first_->disown();
    });
}

void foreign_calls::add(foreign_call& c) noexcept {
    c.next_out = first_;
    if (first_) first_->previous_out = &c;
    first_ = &c;
}

void foreign_calls::remove(foreign_call& c) noexcept {
    (c.previous_out ? c.previous_out->next_out : first_) = c.next_out;
    if (c.next_out) c.next_out->previous_out = c.previous_out;
    c.next_out = c.previous_out = nullptr;
}

}  // namespace crossover::asyncio
