// sleep(): a task gives way for a time, or for one iteration.
#pragma once

#include <utility>

#include "runtimes/event_loop/loop.hpp"

namespace crossover::asyncio {

class [[nodiscard]] sleep_wait : pending {
  public:
    explicit sleep_wait(std::chrono::nanoseconds delay) noexcept {
        // A million sleepers are a million of these, so the delay stays where the waiter goes once the timer
        // is set.
        alarm_.fires = reinterpret_cast<node*>(static_cast<std::intptr_t>(delay.count()));
    }
    // Before it is awaited.
    sleep_wait(sleep_wait&& other) noexcept { alarm_.fires = other.alarm_.fires; }
    sleep_wait& operator=(sleep_wait&&) = delete;
    ~sleep_wait() {
        if (alarm_.armed()) waiter().result.owner->timers().remove(alarm_);
    }

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        loop& l = *running_loop;
        task_state& t = *l.current();
        const std::chrono::nanoseconds delay(reinterpret_cast<std::intptr_t>(alarm_.fires));
        alarm_.fires = &t;
        if (delay.count() <= 0) {
            t.result.frame = h.address();
            t.awaiting = nullptr;
            l.make_ready(t);
            return;
        }
        l.timers().insert(alarm_, loop::deadline_after(delay));
        park(t, h, *this);
    }
    void await_resume() { check_interrupt(waiter()); }

  private:
    bool cancel(task_state& t, std::string_view message) override {
        if (!alarm_.armed()) return false;  // it has rung already
        t.result.owner->timers().remove(alarm_);
        end_wait(t, message);
        wake(t);
        return true;
    }
    std::string describe() const override {
        if (!alarm_.armed()) return "a sleep that is over";
        return "sleep, " + seconds_until(waiter().result.owner->timers().deadline(alarm_)) + " left";
    }
    task_state& waiter() const noexcept { return *static_cast<task_state*>(alarm_.fires); }

    timer alarm_;
};

// Gives way for at least that long; for zero or less, for exactly one iteration, with no timer. Throws
// std::invalid_argument for NaN.
template <class Rep, class Period>
sleep_wait sleep(std::chrono::duration<Rep, Period> delay) {
    return sleep_wait(loop::nanoseconds_of(delay));
}

template <class T>
class [[nodiscard]] valued_sleep_wait : public sleep_wait {
  public:
    valued_sleep_wait(std::chrono::nanoseconds delay, T value)
        : sleep_wait(delay), value_(std::move(value)) {}
    T await_resume() {
        sleep_wait::await_resume();
        return std::move(value_);
    }

  private:
    T value_;
};

// The same; the await gives `value`.
template <class Rep, class Period, class T>
valued_sleep_wait<T> sleep(std::chrono::duration<Rep, Period> delay, T value) {
    return valued_sleep_wait<T>(loop::nanoseconds_of(delay), std::move(value));
}

}  // namespace crossover::asyncio
