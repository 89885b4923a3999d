// wait(): waits for the first or for all of a set, and tells which are done; as_completed(): takes them as
// they end.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtimes/event_loop/combinators/expect_futures.hpp"
#include "runtimes/event_loop/loop/notice.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/sync/wait_list.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

enum class return_when { all_completed, first_completed, first_exception };

template <class Future>
struct wait_result {
    explicit wait_result(const std::vector<Future>& all) {
        for (const Future& f : all) (f.done() ? done : pending).push_back(f);
    }
    std::vector<Future> done;  // both in the order of the arguments
    std::vector<Future> pending;
};

// Without those that stand in it already.
template <class Future>
std::vector<Future> distinct(std::vector<Future> all) {
    std::unordered_set<const outcome*> seen;
    std::erase_if(all, [&](const Future& f) { return !seen.insert(&f.raw()).second; });
    return all;
}

// Counts the ends of a set and wakes the one task that waits for enough of them.
class ends_counter {
  public:
    ends_counter(const std::vector<any_future>& all, return_when rule);
    ends_counter(const ends_counter&) = delete;
    ends_counter& operator=(const ends_counter&) = delete;
    ~ends_counter();

    const future<void>& enough() const noexcept { return enough_; }
    // What call_at() calls when the time is over.
    void time_over() const;

  private:
    static void on_end(void* owner, notice& n, outcome& o);

    return_when rule_;
    std::size_t left_;
    std::vector<notice*> notices_;  // null: it has told
    future<void> enough_;
};

// Waits as `rule` says, or until `timeout` has passed, which is no error. Throws for no failure and cancels
// nothing. Duplicates count once. Throws std::invalid_argument for an empty set, and for a task or future
// that is empty or of another loop.
template <class Future>
requires std::derived_from<Future, any_future> coro<wait_result<Future>> wait(
    std::vector<Future> all, return_when rule = return_when::all_completed,
    std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
    if (all.empty()) throw std::invalid_argument("wait: the set of tasks and futures is empty");
    expect_futures_of(get_running_loop(), all, "wait");
    const std::vector<Future> set = distinct(std::move(all));
    {
        const ends_counter counter(std::vector<any_future>(set.begin(), set.end()), rule);
        timer_handle alarm;
        if (timeout) alarm = get_running_loop().call_later(*timeout, [&counter] { counter.time_over(); });
        struct disarm {
            explicit disarm(timer_handle& h) : handle(h) {}
            ~disarm() { handle.cancel(); }
            timer_handle& handle;
        } const disarm(alarm);
        co_await counter.enough();
    }
    co_return wait_result<Future>(set);
}

// What as_completed() returns: `while (it.has_next()) { auto f = co_await it.next(); ... }`. One task uses
// it; it stays in place.
template <class Future>
class completion_order {
  public:
    completion_order(std::vector<Future> all, std::optional<std::chrono::nanoseconds> timeout)
        : all_(distinct(std::move(all))), left_(all_.size()), running_(all_.size()) {
        notices_.reserve(all_.size());
        for (const Future& f : all_) {
            notices_.push_back(notice::attach(f.raw(), &on_end, this));
            notices_.back()->place = notices_.size() - 1;
        }
        if (timeout && left_ != 0) alarm_ = get_running_loop().call_later(*timeout, [this] { time_over(); });
    }
    completion_order(const completion_order&) = delete;
    completion_order& operator=(const completion_order&) = delete;
    ~completion_order() {
        alarm_.cancel();
        drop_notices();
    }

    bool has_next() const noexcept { return left_ != 0; }

    class [[nodiscard]] next_wait : queued_wait {
      public:
        explicit next_wait(completion_order& o) noexcept : queued_wait(o.waiting_), order_(o) {}
        bool await_ready() const noexcept { return !order_.ended_.empty() || order_.late_; }
        void await_suspend(std::coroutine_handle<> h) { wait(h); }
        Future await_resume() {
            check_cancelled();
            --order_.left_;
            if (order_.ended_.empty()) throw timeout_error();
            Future f = std::move(order_.ended_.front());
            order_.ended_.pop_front();
            return f;
        }

      private:
        std::string describe() const override { return "the next of as_completed()"; }

        completion_order& order_;
    };
    // The one that ended next, as it was given. Throws timeout_error once the time is over; the others run
    // on. Throws std::logic_error if all have been handed out.
    next_wait next() {
        if (left_ == 0) throw std::logic_error("as_completed: there is no next: ask has_next() first");
        return next_wait(*this);
    }

  private:
    static void on_end(void* owner, notice& n, outcome&) {
        auto& self = *static_cast<completion_order*>(owner);
        self.notices_[n.place] = nullptr;
        self.ended_.push_back(std::move(self.all_[n.place]));
        if (--self.running_ == 0) self.alarm_.cancel();
        self.waiting_.wake_first();
    }
    void time_over() {
        late_ = true;
        drop_notices();
        waiting_.wake_first();
    }
    void drop_notices() {
        for (notice* n : std::exchange(notices_, {}))
            if (n) n->drop();
    }

    std::vector<Future> all_;
    std::deque<Future> ended_;
    std::size_t left_;              // not handed out yet
    std::size_t running_;           // not ended yet
    std::vector<notice*> notices_;  // null: it has told
    bool late_ = false;
    timer_handle alarm_;
    wait_list waiting_;
};

// The time begins now. Throws std::invalid_argument for a task or future that is empty or of another loop.
template <class Future>
requires std::derived_from<Future, any_future> completion_order<Future> as_completed(
    std::vector<Future> all, std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
    expect_futures_of(get_running_loop(), all, "as_completed");
    return completion_order<Future>(std::move(all), timeout);
}
template <class T>
completion_order<task<T>> as_completed(std::vector<coro<T>> all,
                                       std::optional<std::chrono::nanoseconds> timeout = std::nullopt,
                                       std::source_location at = std::source_location::current()) {
    std::vector<task<T>> tasks;
    tasks.reserve(all.size());
    for (coro<T>& c : all) tasks.push_back(create_task(std::move(c), at));
    return completion_order<task<T>>(std::move(tasks), timeout);
}

}  // namespace crossover::asyncio
