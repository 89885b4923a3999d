// Cancelling tasks: the request follows the chain of awaits, however long, and breaks a cycle.
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {
namespace {

// A cancel() under way in this thread. The tasks that it reaches on its way are queued here, for to nest
// would take as much stack as the chain is long. Each is passed once, the deepest first, in the order of
// nesting.
class cancellation {
  public:
    explicit cancellation(std::string_view message) noexcept : message_(message) { under_way = this; }
    cancellation(const cancellation&) = delete;
    cancellation& operator=(const cancellation&) = delete;
    ~cancellation() { under_way = nullptr; }

    void reach(task_state& t) { left_.push_back(&t); }

    void run(task_state& only) {
        visit(only);
        go_on();
    }
    // Those reached so far, in the order in which they were.
    void run() {
        std::reverse(left_.begin(), left_.end());
        go_on();
    }

    static inline constinit thread_local cancellation* under_way = nullptr;

  private:
    void go_on() {
        while (!left_.empty()) {
            task_state* const t = left_.back();
            left_.pop_back();
            if (t)
                visit(*t);
            else
                leave();
        }
    }
    void visit(task_state& t) {
        if (const auto met = on_path_.find(&t); met != on_path_.end())
            return met->second ? cut_circle() : static_cast<void>(++t.result.cancelling);
        const std::size_t before = left_.size();
        request(t);
        if (left_.size() == before) return;
        std::reverse(left_.begin() + static_cast<std::ptrdiff_t>(before), left_.end());
        left_.insert(left_.begin() + static_cast<std::ptrdiff_t>(before), nullptr);
        path_.push_back(&t);
        on_path_.emplace(&t, true);
    }
    // The path has come back to one of its own tasks: without a cut they would wait for one another forever.
    void cut_circle() {
        for (auto t = path_.rbegin(); t != path_.rend(); ++t)
            if ((*t)->awaiting && (*t)->awaiting->give_up(**t, message_)) return;
    }
    // All that the last of the path waits for has been told.
    void leave() {
        on_path_[path_.back()] = false;
        path_.pop_back();
    }
    void request(task_state& t) {
        ++t.result.cancelling;
        if (t.awaiting && t.awaiting->cancel(t, message_)) return;
        t.result.set(flag::must_cancel);
        if (t.result.has(flag::interrupted)) return;  // one is on its way, with its own message
        if (!message_.empty() || t.result.has(flag::noted))
            t.result.owner->notes_of(t.result).cancel_message = message_;
    }

    const std::string_view message_;
    std::vector<task_state*> left_;                        // a stack; null: leave()
    std::vector<task_state*> path_;                        // those under which the present one was reached
    std::unordered_map<const task_state*, bool> on_path_;  // of those that passed it on; false: done with
};

}  // namespace

bool task_state::cancel(std::string_view message) {
    if (result.done()) return false;
    if (cancellation* const c = cancellation::under_way) {
        c->reach(*this);
        return true;
    }
    cancellation c(message);
    c.run(*this);
    return true;
}

bool cancel_all(const std::vector<any_future>& all, std::string_view message) {
    bool any = false;
    const auto cancel_each = [&] {
        for (const any_future& f : all) any |= f.cancel(message);
    };
    if (cancellation::under_way) {
        cancel_each();
    } else {
        cancellation c(message);
        cancel_each();
        c.run();
    }
    return any;
}

}  // namespace crossover::asyncio
