// event: many tasks wait until something has happened.
#pragma once

#include "runtimes/event_loop/sync/wait_list.hpp"

namespace crossover::asyncio {

class event {
  public:
    event() = default;

    bool is_set() const noexcept { return set_; }
    // Wakes all who wait now, even if clear() follows before they run.
    void set() noexcept {
        set_ = true;
        waiting_.wake_all();
    }
    void clear() noexcept { set_ = false; }

    class [[nodiscard]] set_wait : queued_wait {
      public:
        explicit set_wait(event& e) noexcept : queued_wait(e.waiting_), event_(e) {}
        bool await_ready() const noexcept { return event_.set_; }
        void await_suspend(std::coroutine_handle<> h) { queued_wait::wait(h); }
        void await_resume() const { check_cancelled(); }

      private:
        std::string describe() const override { return "event.wait()"; }

        event& event_;
    };
    set_wait wait() noexcept { return set_wait(*this); }

  private:
    bool set_ = false;
    wait_list waiting_;
};

}  // namespace crossover::asyncio
