// Context variables: values that a task inherits from its creator and changes only for itself.
#pragma once

#include <any>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

// The values of a context, shared by its copies until one of them is changed. The key is a variable's number.
struct context_values {
    using map = std::map<std::uint64_t, std::any>;
    std::shared_ptr<const map> all;

    const std::any* find(std::uint64_t key) const;
    void set(std::uint64_t key, std::any value);
    void erase(std::uint64_t key);
};

// Makes a context that of this thread, or of the running task's present step, while it lives.
class entered_context {
  public:
    explicit entered_context(std::shared_ptr<context_values> values);
    entered_context(const entered_context&) = delete;
    entered_context& operator=(const entered_context&) = delete;
    ~entered_context();

    // Null if none was entered by that task; null stands for code outside of tasks.
    static const std::shared_ptr<context_values>* of(const task_state* t) noexcept;

  private:
    std::shared_ptr<context_values> values_;
    const task_state* task_;
    const entered_context* outer_;
};

// A reference to a context: what a task that is given it changes is seen through it.
class context {
  public:
    context() : values_(std::make_shared<context_values>()) {}  // empty
    explicit context(std::shared_ptr<context_values> values) noexcept : values_(std::move(values)) {}
    // An independent one with the same values.
    context copy() const { return context(std::make_shared<context_values>(*values_)); }
    // That of the run() under way, else the running task's or callback's; outside a loop this thread's.
    static context current();
    // Calls f() in this context, in whatever thread; returns what it returns.
    template <class F>
    decltype(auto) run(F&& f) const {
        const entered_context here(values_);
        return std::forward<F>(f)();
    }
    // f as a callback that runs in this context: call_soon(c.bind(f)), add_done_callback(c.bind(f)).
    template <class F>
    auto bind(F f) const {
        return [in = *this, f = std::move(f)](auto&&... args) mutable -> decltype(auto) {
            const entered_context here(in.values());
            return std::invoke(f, std::forward<decltype(args)>(args)...);
        };
    }

    const std::shared_ptr<context_values>& values() const noexcept { return values_; }

  private:
    std::shared_ptr<context_values> values_;
};

// An independent context with the values of the current one.
context copy_context();

std::uint64_t new_context_key() noexcept;

// Named for messages only. Belongs to no thread; make it static or let it outlive its tasks.
template <class T>
class context_var {
  public:
    explicit context_var(std::string name, std::optional<T> otherwise = std::nullopt)
        : name_(std::move(name)), otherwise_(std::move(otherwise)), key_(new_context_key()) {}
    context_var(const context_var&) = delete;
    context_var& operator=(const context_var&) = delete;

    // What the context had before a set(), to be given back to reset().
    class token {
      public:
        explicit token(std::any before) : before_(std::move(before)) {}

      private:
        friend context_var;
        std::any before_;  // empty: no value
    };

    // The default if the context has no value; throws std::out_of_range if there is none either.
    T get() const { return get(context::current()); }
    T get(const context& in) const {
        if (const std::any* const value = in.values()->find(key_)) return std::any_cast<const T&>(*value);
        if (otherwise_) return *otherwise_;
        throw std::out_of_range("the context variable '" + name_ +
                                "' has no value: set it or give it a default");
    }
    token set(T value) {
        const context here = context::current();
        const std::any* const before = here.values()->find(key_);
        token t(before ? *before : std::any());
        here.values()->set(key_, std::any(std::move(value)));
        return t;
    }
    void reset(const token& t) {
        const context here = context::current();
        if (t.before_.has_value())
            here.values()->set(key_, t.before_);
        else
            here.values()->erase(key_);
    }

  private:
    std::string name_;
    std::optional<T> otherwise_;
    std::uint64_t key_;
};

template <class T, std::same_as<context> C>
task<T> loop::create_task(coro<T> what, const C& in, std::source_location at) {
    check_usable();
    task_state& t = task_code<T>::adopt(*this, std::move(what));
    enlist(t, at);
    task<T> result(t.result);
    notes_of(t.result).context = in.values();
    start(t);
    return result;
}
// In that context itself, not in a copy.
template <class T>
task<T> create_task(coro<T> what, const context& in,
                    std::source_location at = std::source_location::current()) {
    return get_running_loop().create_task(std::move(what), in, at);
}

}  // namespace crossover::asyncio
