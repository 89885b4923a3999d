// For debugging: the tasks of a loop, where they were created and what they await, and the check for slow
// steps in debug mode.
#pragma once

#include <string>
#include <typeinfo>

#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

// One line: "Task-3 work, awaits Task-2", "Task-4, ready", "Task-2, finished", "a future, pending". In debug
// mode also the coroutine function and where it was made.
std::string describe(const any_future& f);

// A line for each task of the loop that is not done, in the order of their creation: whom each awaits tells
// who keeps whom waiting. To be called in the loop's thread, also while the loop does not run.
std::string describe_tasks(const loop& l);

// Around a step or a callback: in debug mode, reports it if it took too long. Off, it reads no clock.
class step_watch {
  public:
    step_watch(loop& l, const std::type_info& callback) noexcept
        : loop_(l.get_debug() ? &l : nullptr), callback_(&callback) {
        if (loop_) [[unlikely]]
            begun_ = loop::time();
    }
    explicit step_watch(const task_state& t);
    step_watch(const step_watch&) = delete;
    step_watch& operator=(const step_watch&) = delete;
    ~step_watch() {
        if (loop_) [[unlikely]]
            report_if_slow();
    }

  private:
    void report_if_slow() noexcept;

    loop* loop_;
    const std::type_info* callback_ = nullptr;  // null: a task, which may be gone after its step
    std::string task_;                          // its name, if it was given one
    std::uint32_t serial_ = 0;
    std::source_location created_;
    std::source_location body_;
    time_point begun_;
};

}  // namespace crossover::asyncio
