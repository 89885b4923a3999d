// Tasks: what is rare in their lives.
#include "runtimes/event_loop/task.hpp"

namespace crossover::asyncio {

bool drop_frames(task_state& t) {
    const auto header = [](void* frame) { return &header_of(std::coroutine_handle<>::from_address(frame)); };
    task_state* top = header(t.result.frame);
    while (top != &t && top->result.has(flag::catchless)) top = header(top->continuation);
    t.result.clear(flag::interrupted | flag::wait_over);
    if (top == &t) {
        t.result.set(flag::must_cancel);
        return true;
    }
    const std::exception_ptr with_message = pending_cancellation(t);
    top->result.set_error(with_message ? with_message : std::make_exception_ptr(cancelled_error()));
    top->result.state = phase::threw;
    t.result.frame = top->continuation;
    return false;
}

}  // namespace crossover::asyncio
