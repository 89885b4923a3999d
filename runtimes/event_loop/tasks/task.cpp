// Tasks: the rare paths.
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

namespace {

task_state& header_at(void* frame) noexcept {
    return header_of(std::coroutine_handle<>::from_address(frame));
}

// Destroys the frame of a child that waits, and keeps its header for the coro that owns it. Returns the frame
// that awaits the child.
void* destroy_child(task_state& child) {
    void* const parent = child.continuation;
    child.result.refs = 1;
    frame_of(child).destroy();
    return parent;
}

}  // namespace

// One after the other: nested destructors would take as much stack as the chain of frames is long.
void unwind(task_state& t) {
    if (t.result.has(flag::never_begun)) return;
    while (t.result.frame && &header_at(t.result.frame) != &t)
        t.result.frame = destroy_child(header_at(t.result.frame));
}

void loop::start_now(task_state& t) {
    if (eager_starts_ == most_eager_starts) return make_ready(t);
    struct nested {
        explicit nested(std::uint8_t& d) noexcept : depth(d) { ++depth; }
        ~nested() { --depth; }
        std::uint8_t& depth;
    } const start(eager_starts_);
    t.run(t);
}

void loop::start_by_factory(task_state& t) {
    first_step begins = first_step::queued;
    try {
        begins = factory_(*this, any_task(t.result));
    } catch (...) {
        t.result.set(flag::must_cancel);
        make_ready(t);
        throw;
    }
    if (begins == first_step::at_once && is_running())
        start_now(t);
    else
        make_ready(t);
}

bool drop_frames(task_state& t) {
    task_state* const outer = t.result.owner->enter(&t);
    task_state* top = &header_at(t.result.frame);
    while (top != &t && top->result.has(flag::catchless)) top = &header_at(destroy_child(*top));
    t.result.clear(flag::interrupted | flag::wait_over);
    const bool all = top == &t;
    if (all) {
        t.result.set(flag::must_cancel);
    } else {
        t.result.frame = destroy_child(*top);
        const std::exception_ptr with_message = pending_cancellation(t);
        top->result.set_error(with_message ? with_message : std::make_exception_ptr(cancelled_error()));
        top->result.state = phase::threw;
    }
    t.result.owner->enter(outer);
    return all;
}

}  // namespace crossover::asyncio
