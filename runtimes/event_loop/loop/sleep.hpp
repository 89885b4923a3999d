// sleep(): a task waits for a time, or yields for one iteration.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "runtimes/event_loop/loop/waiting.hpp"

namespace crossover::asyncio {

class [[nodiscard]] sleep_wait : pending {
  public:
    explicit sleep_wait(std::chrono::nanoseconds delay) noexcept
        : delay_or_waiter_(std::clamp(delay.count(), -longest, longest) * 2 + 1) {}
    // Before it is awaited.
    sleep_wait(sleep_wait&& other) noexcept : delay_or_waiter_(other.delay_or_waiter_) {}
    sleep_wait& operator=(sleep_wait&&) = delete;
    ~sleep_wait() {
        if (awaited() && timer_heap::armed(waiter())) waiter().result.owner->timers().remove(waiter());
    }

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        loop& l = *running_loop;
        task_state& t = *l.current();
        const std::int64_t delay = delay_or_waiter_ >> 1;
        delay_or_waiter_ = reinterpret_cast<std::int64_t>(&t);
        if (delay <= 0) {
            t.result.frame = h.address();
            t.awaiting = nullptr;
            l.make_ready(t);
        } else {
            wait(t, h, delay);
        }
    }
    void await_resume() { check_interrupt(waiter()); }

  private:
    // Apart, so that giving way does not save the registers that this needs.
    [[gnu::noinline]] void wait(task_state& t, std::coroutine_handle<> h, std::int64_t delay) {
        t.result.owner->timers().insert(
            t, delay == longest ? time_point::max() : loop::deadline_after(std::chrono::nanoseconds(delay)));
        park(t, h, *this);
    }
    bool cancel(task_state& t, std::string_view message) override {
        if (!timer_heap::armed(t)) return false;  // it has rung already
        t.result.owner->timers().remove(t);
        end_wait(t, message);
        wake(t);
        return true;
    }
    std::string describe() const override {
        if (!timer_heap::armed(waiter())) return "a sleep that is over";
        return "sleep, " + seconds_until(waiter().result.owner->timers().deadline(waiter())) + " left";
    }
    bool awaited() const noexcept { return !(delay_or_waiter_ & 1); }
    task_state& waiter() const noexcept { return *reinterpret_cast<task_state*>(delay_or_waiter_); }

    // A million sleepers are a million of these, so one word serves for both: twice the delay in nanoseconds
    // and one, until the waiter's address replaces it.
    static constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max() / 2;
    std::int64_t delay_or_waiter_;
};

// Gives way for at least that long; for zero or less, for exactly one iteration, with no timer. Throws
// std::invalid_argument for NaN.
template <class Rep, class Period>
sleep_wait sleep(const std::chrono::duration<Rep, Period>& delay) {
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
valued_sleep_wait<T> sleep(const std::chrono::duration<Rep, Period>& delay, T value) {
    return valued_sleep_wait<T>(loop::nanoseconds_of(delay), std::move(value));
}

}  // namespace crossover::asyncio
