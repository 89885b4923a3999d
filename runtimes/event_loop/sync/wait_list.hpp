// The tasks that wait for a lock, an event, a queue: a FIFO that a cancelled task leaves at once.
#pragma once

#include <stdexcept>

#include "runtimes/event_loop/loop/waiting.hpp"

namespace crossover::asyncio {

class wait_list;

// Base of the awaiters of primitives. It is the list's node, so that waiting allocates nothing.
class queued_wait : public pending {
  public:
    // Before it is awaited.
    queued_wait(queued_wait&& other) noexcept : list_(other.list_) {}
    queued_wait& operator=(queued_wait&&) = delete;

  protected:
    explicit queued_wait(wait_list& list) noexcept : list_(list) {}
    inline ~queued_wait();

    // Joins the list and puts the running task to sleep.
    inline void wait(std::coroutine_handle<> h);
    // Joins it again, after having been taken from it.
    inline void wait_again() noexcept;
    bool suspended() const noexcept { return task_; }
    task_state& waiter() const noexcept { return *task_; }
    // Whether the await was cancelled. To be asked once, after the wake; a true answer must end in
    // throw_cancelled().
    bool was_cancelled() const noexcept { return task_ && task_->result.has(flag::interrupted); }
    [[noreturn]] void throw_cancelled() const { throw_interrupt(*task_); }
    void check_cancelled() const {
        if (task_) check_interrupt(*task_);
    }
    inline void leave_list() noexcept;
    const queued_wait* next() const noexcept { return next_; }

  private:
    friend class wait_list;
    inline bool cancel(task_state& t, std::string_view message) override;

    wait_list& list_;
    queued_wait* next_ = nullptr;
    queued_wait* previous_ = nullptr;
    task_state* task_ = nullptr;
    bool linked_ = false;

  protected:
    bool granted_ = false;   // taken from the list by the primitive, not by a cancellation
    bool given_up_ = false;  // cancelled where that leaves it in the list until its task runs
    node* wakes_ = nullptr;  // what is made ready then, if it is not the task
};

class wait_list {
  public:
    wait_list() = default;
    wait_list(const wait_list&) = delete;
    wait_list& operator=(const wait_list&) = delete;

    bool empty() const noexcept { return !first_; }
    const queued_wait* first() const noexcept { return first_; }

    // Takes the longest waiting task from the list and wakes it. Returns null if nobody waits.
    queued_wait* wake_first() noexcept {
        queued_wait* const w = first_;
        if (!w) return nullptr;
        unlink(*w);
        w->granted_ = true;
        if (w->wakes_)
            w->task_->result.owner->make_ready(*w->wakes_);
        else
            wake(*w->task_);
        return w;
    }
    void wake_all() noexcept {
        while (wake_first()) continue;
    }

    // A primitive belongs to the loop in which it first blocks somebody.
    void bind(loop& l) {
        if (owner_ == 0) owner_ = l.id();
        if (owner_ != l.id())
            throw std::runtime_error("this primitive is bound to another event loop: make one for each loop");
    }

  private:
    friend class queued_wait;

    void link(queued_wait& w) noexcept {
        w.previous_ = last_;
        w.next_ = nullptr;
        (last_ ? last_->next_ : first_) = &w;
        last_ = &w;
        w.linked_ = true;
    }
    void unlink(queued_wait& w) noexcept {
        (w.previous_ ? w.previous_->next_ : first_) = w.next_;
        (w.next_ ? w.next_->previous_ : last_) = w.previous_;
        w.linked_ = false;
    }

    queued_wait* first_ = nullptr;
    queued_wait* last_ = nullptr;
    std::uint64_t owner_ = 0;
};

inline queued_wait::~queued_wait() { leave_list(); }

inline void queued_wait::leave_list() noexcept {
    if (linked_) list_.unlink(*this);
}

inline void queued_wait::wait(std::coroutine_handle<> h) {
    loop& l = *running_loop;
    list_.bind(l);
    task_ = l.current();
    list_.link(*this);
    park(*task_, h, *this);
}

inline void queued_wait::wait_again() noexcept {
    granted_ = false;
    list_.link(*this);
}

inline bool queued_wait::cancel(task_state& t, std::string_view message) {
    if (!linked_) return false;
    list_.unlink(*this);
    end_wait(t, message);
    wake(t);
    return true;
}

}  // namespace crossover::asyncio
