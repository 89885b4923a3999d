// Calls that other threads make for a loop.
#include "runtimes/event_loop/executors/cross_thread_call.hpp"

namespace crossover::asyncio {

void loop_link::give_back(std::unique_ptr<cross_thread_call> call) noexcept {
    const std::lock_guard guard(lock_);
    if (!loop_) return;
    if (loop_->is_closed())
        late_.push_back(std::move(call));
    else
        loop_->call_soon_threadsafe([c = std::move(call)] { c->deliver(); });
}

cross_thread_calls::~cross_thread_calls() {
    link_->cut([this] {
        while (first_) first_->disown();
    });
}

void cross_thread_calls::add(cross_thread_call& c) noexcept {
    c.next_out = first_;
    if (first_) first_->previous_out = &c;
    first_ = &c;
}

void cross_thread_calls::remove(cross_thread_call& c) noexcept {
    (c.previous_out ? c.previous_out->next_out : first_) = c.next_out;
    if (c.next_out) c.next_out->previous_out = c.previous_out;
    c.next_out = c.previous_out = nullptr;
}

}  // namespace crossover::asyncio
