// queue, lifo_queue, priority_queue: pass values between tasks, with a bound that makes producers wait.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "runtimes/event_loop/sync/event.hpp"
#include "runtimes/event_loop/sync/ring.hpp"
#include "runtimes/event_loop/sync/wait_list.hpp"

namespace crossover::asyncio {

class queue_empty : public std::runtime_error {
  public:
    queue_empty() : std::runtime_error("the queue is empty") {}
};
class queue_full : public std::runtime_error {
  public:
    queue_full() : std::runtime_error("the queue is full") {}
};
class queue_shut_down : public std::runtime_error {
  public:
    queue_shut_down() : std::runtime_error("the queue was shut down") {}
};

// A wait that looks again when it is woken, and goes back to the end of the list if somebody was faster; its
// task is stepped only with an answer. So neither put() nor get() needs a coroutine of its own. Wait has
// attempt(), true if there is an answer, and pass_on() for a wake that it cannot use.
template <class Wait>
class retrying_wait : public queued_wait, node {
  protected:
    explicit retrying_wait(wait_list& list) noexcept : queued_wait(list), node(&on_turn) { wakes_ = this; }
    retrying_wait(retrying_wait&& other) noexcept : queued_wait(std::move(other)), node(&on_turn) {
        wakes_ = this;
    }

  private:
    static void on_turn(node& n) {
        auto& self = static_cast<Wait&>(static_cast<retrying_wait&>(n));
        task_state& t = self.waiter();
        if (t.result.has(flag::must_cancel)) [[unlikely]] {
            self.pass_on();
        } else if (!self.attempt()) {
            return self.wait_again();
        }
        t.awaiting = nullptr;
        t.run(t);
    }
};

// Store is the order in which values come out: put(T), T take(), size().
template <class T, class Store>
class basic_queue {
  public:
    // At most `maxsize` values lie in it; 0: any number.
    explicit basic_queue(std::size_t maxsize = 0) : maxsize_(maxsize) { none_unfinished_.set(); }

    std::size_t size() const noexcept { return store_.size(); }
    std::size_t maxsize() const noexcept { return maxsize_; }
    bool empty() const noexcept { return store_.size() == 0; }
    bool full() const noexcept { return maxsize_ != 0 && store_.size() >= maxsize_; }

    class [[nodiscard]] put_wait : retrying_wait<put_wait> {
      public:
        put_wait(basic_queue& q, T value) noexcept
            : retrying_wait<put_wait>(q.putters_), queue_(q), value_(std::move(value)) {}
        bool await_ready() { return attempt(); }
        void await_suspend(std::coroutine_handle<> h) { this->wait(h); }
        void await_resume() {
            this->check_cancelled();
            if (refused_) throw queue_shut_down();
        }

      private:
        friend retrying_wait<put_wait>;
        bool attempt() {
            refused_ = queue_.shut_down_;
            if (!refused_ && queue_.full()) return false;
            if (!refused_) queue_.store(std::move(value_));
            return true;
        }
        void pass_on() {
            if (!queue_.full()) queue_.putters_.wake_first();
        }
        std::string describe() const override { return "queue.put()"; }

        basic_queue& queue_;
        T value_;
        bool refused_ = false;
    };
    // Waits while the queue is full. Throws queue_shut_down.
    put_wait put(T value) { return put_wait(*this, std::move(value)); }

    class [[nodiscard]] get_wait : retrying_wait<get_wait> {
      public:
        explicit get_wait(basic_queue& q) noexcept : retrying_wait<get_wait>(q.getters_), queue_(q) {}
        bool await_ready() { return attempt(); }
        void await_suspend(std::coroutine_handle<> h) { this->wait(h); }
        T await_resume() {
            this->check_cancelled();
            if (!value_) throw queue_shut_down();
            return std::move(*value_);
        }

      private:
        friend retrying_wait<get_wait>;
        bool attempt() {
            if (queue_.empty()) return queue_.shut_down_;
            value_.emplace(queue_.take());
            return true;
        }
        void pass_on() {
            if (!queue_.empty()) queue_.getters_.wake_first();
        }
        std::string describe() const override { return "queue.get()"; }

        basic_queue& queue_;
        std::optional<T> value_;
    };
    // Waits while the queue is empty. Throws queue_shut_down once it is shut down and empty.
    get_wait get() noexcept { return get_wait(*this); }

    // Throws queue_full or queue_shut_down.
    void put_nowait(T value) {
        if (shut_down_) throw queue_shut_down();
        if (full()) throw queue_full();
        store(std::move(value));
    }
    // Throws queue_empty, or queue_shut_down once it is shut down and empty.
    T get_nowait() {
        if (!empty()) return take();
        if (shut_down_) throw queue_shut_down();
        throw queue_empty();
    }

    // A value that was got has been dealt with. Throws std::logic_error if called more often than put().
    void task_done() {
        if (unfinished_ == 0) throw std::logic_error("task_done() was called too many times");
        if (--unfinished_ == 0) none_unfinished_.set();
    }
    // Waits until every value that was put has been dealt with.
    event::set_wait join() noexcept { return none_unfinished_.wait(); }

    // From now on put() throws; get() takes what is left and then throws. `immediate` drops what is left, as
    // if it were dealt with.
    void shutdown(bool immediate = false) {
        shut_down_ = true;
        while (immediate && !empty()) {
            static_cast<void>(store_.take());
            if (unfinished_ != 0 && --unfinished_ == 0) none_unfinished_.set();
        }
        getters_.wake_all();
        putters_.wake_all();
    }

  private:
    void store(T value) {
        store_.put(std::move(value));
        ++unfinished_;
        none_unfinished_.clear();
        getters_.wake_first();
    }
    T take() {
        T value = store_.take();
        putters_.wake_first();
        return value;
    }

    std::size_t maxsize_;
    Store store_;
    std::size_t unfinished_ = 0;
    bool shut_down_ = false;
    wait_list getters_;
    wait_list putters_;
    event none_unfinished_;
};

template <class T>
class first_in_first_out {
  public:
    void put(T value) { values_.push_back(std::move(value)); }
    T take() { return values_.pop_front(); }
    std::size_t size() const noexcept { return values_.size(); }

  private:
    ring<T> values_;
};

template <class T>
class last_in_first_out {
  public:
    void put(T value) { values_.push_back(std::move(value)); }
    T take() {
        T value = std::move(values_.back());
        values_.pop_back();
        return value;
    }
    std::size_t size() const noexcept { return values_.size(); }

  private:
    std::vector<T> values_;
};

template <class T, class Less>
class least_first {
  public:
    void put(T value) {
        values_.push_back(std::move(value));
        std::push_heap(values_.begin(), values_.end(), greater);
    }
    T take() {
        std::pop_heap(values_.begin(), values_.end(), greater);
        T value = std::move(values_.back());
        values_.pop_back();
        return value;
    }
    std::size_t size() const noexcept { return values_.size(); }

  private:
    static bool greater(const T& a, const T& b) { return Less()(b, a); }
    std::vector<T> values_;
};

template <class T>
using queue = basic_queue<T, first_in_first_out<T>>;
template <class T>
using lifo_queue = basic_queue<T, last_in_first_out<T>>;
template <class T, class Less = std::less<T>>
using priority_queue = basic_queue<T, least_first<T, Less>>;

}  // namespace crossover::asyncio
