// Waiters of several threads in one queue: who waits, how it is called, and in what order.
#pragma once

namespace crossover::cross_thread {

// One suspended item. Its model derives from it and says how it is called back, from whatever thread.
class waiter {
  public:
    using function = void (*)(waiter&);
    explicit waiter(function called) : call_(called) {}
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    // Made exactly once for a waiter that was taken from its queue, and after that has been decided: it must
    // stay where it is until the call has come.
    void call() { call_(*this); }

  private:
    friend class wait_queue;
    function call_;
    waiter* before_ = nullptr;
    waiter* behind_ = nullptr;
    bool queued_ = false;
};

// First in, first out. Its owner guards it by a lock.
class wait_queue {
  public:
    bool empty() const { return !first_; }

    void add(waiter& w) {
        w.before_ = last_;
        w.behind_ = nullptr;
        (last_ ? last_->behind_ : first_) = &w;
        last_ = &w;
        w.queued_ = true;
    }

    // Null if nobody waits. The caller hands over what it has, and calls the waiter when it has left its
    // lock.
    waiter* take() {
        waiter* first = first_;
        if (first) remove(*first);
        return first;
    }

    // False if the waiter has been taken already.
    bool remove(waiter& w) {
        if (!w.queued_) return false;
        (w.before_ ? w.before_->behind_ : first_) = w.behind_;
        (w.behind_ ? w.behind_->before_ : last_) = w.before_;
        w.queued_ = false;
        return true;
    }

  private:
    waiter* first_ = nullptr;
    waiter* last_ = nullptr;
};

}  // namespace crossover::cross_thread
