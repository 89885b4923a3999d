// future<T>: a result that will come, and what it shares with a task: states, waiting for it, callbacks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtimes/event_loop/loop/waiting.hpp"
#include "runtimes/system/frame_pool.hpp"

namespace crossover::asyncio {

inline void release(outcome& o) {
    if (--o.refs == 0) [[unlikely]] {
        task_state& t = task_state::of(o);
        t.run(t);  // of what is done, and of a future: destroys and frees it
    }
}

// Throws what came out instead of a value; invalid_state_error if nothing has come out yet.
[[noreturn]] void throw_instead_of_value(outcome& o);
inline void throw_unless_finished(outcome& o) {
    if (o.state != phase::finished) [[unlikely]]
        throw_instead_of_value(o);
}

// A shared reference to a future or task of whatever type. Belongs to the loop's thread.
class any_future {
  public:
    any_future() = default;
    explicit any_future(outcome& o) noexcept : outcome_(&o) { ++o.refs; }
    any_future(const any_future& other) noexcept : outcome_(other.outcome_) {
        if (outcome_) ++outcome_->refs;
    }
    any_future(any_future&& other) noexcept : outcome_(std::exchange(other.outcome_, nullptr)) {}
    any_future& operator=(any_future other) noexcept {
        std::swap(outcome_, other.outcome_);
        return *this;
    }
    ~any_future() {
        if (outcome_) release(*outcome_);
    }
    friend bool operator==(const any_future&, const any_future&) = default;
    explicit operator bool() const noexcept { return outcome_; }

    bool done() const noexcept { return outcome_->done(); }
    bool cancelled() const noexcept { return outcome_->state == phase::cancelled; }

    // A future is cancelled at once. A task is asked to: cancelled_error appears at its present await, in its
    // next step. False if it was done already; if it failed, that counts as looked at.
    bool cancel(std::string_view message = {}) const;

    // Null if it ended well. Throws cancelled_error if it was cancelled, invalid_state_error if it is not
    // done.
    std::exception_ptr exception() const;

    loop& get_loop() const noexcept { return *outcome_->owner; }
    outcome& raw() const noexcept { return *outcome_; }

  protected:
    outcome* outcome_ = nullptr;
};

bool cancel_future(outcome& o, std::string_view message);

// Cancels each, as one request: a task that several of them lead to is gone through once. Whether there was
// one that was not done.
bool cancel_all(const std::vector<any_future>& all, std::string_view message = {});

// Waits in a task for an outcome; shared by all result types.
class outcome_wait : public pending, public completion {
  public:
    explicit outcome_wait(outcome& o) noexcept : completion(&on_done), target_(&o) { ++o.refs; }
    outcome_wait(const outcome_wait&) = delete;
    outcome_wait& operator=(const outcome_wait&) = delete;
    ~outcome_wait() {
        if (waiter_ && !target_->done()) unsubscribe(*target_, *this);
        asyncio::release(*target_);
    }

    bool await_ready() const noexcept { return target_->done(); }
    void await_suspend(std::coroutine_handle<> h);

  protected:
    // Throws if the wait or the target was cancelled or the target failed.
    void resume() {
        if (waiter_ && waiter_->result.has(flag::interrupted)) [[unlikely]]
            throw_cancellation();
        throw_unless_finished(*target_);
    }
    // Throws if the wait was cancelled.
    void resume_regardless() {
        if (waiter_) check_interrupt(*waiter_);
    }

    outcome* target_;

  private:
    bool cancel(task_state& t, std::string_view message) override;
    bool give_up(task_state& t, std::string_view message) override;
    std::string describe() const override;
    static void on_done(completion& c, outcome& o) {
        task_state& t = *static_cast<outcome_wait&>(c).waiter_;
        if (o.state == phase::cancelled) [[unlikely]]
            on_cancelled(t, o);
        wake(t);
    }
    static void on_cancelled(task_state& waiter, const outcome& target);
    [[noreturn]] void throw_cancellation();

    task_state* waiter_ = nullptr;
};

template <class T>
class [[nodiscard]] shared_result_wait : public outcome_wait {
  public:
    using outcome_wait::outcome_wait;
    std::add_lvalue_reference_t<std::add_const_t<T>> await_resume() {
        resume();
        if constexpr (!std::is_void_v<T>) {
            if constexpr (std::is_reference_v<T>)
                return *value_of<T>::in(*target_);
            else
                return value_of<T>::in(*target_);
        }
    }
};

template <class T>
class [[nodiscard]] last_result_wait : public outcome_wait {
  public:
    using outcome_wait::outcome_wait;
    T await_resume() {
        resume();
        if constexpr (!std::is_void_v<T>) {
            auto& value = value_of<T>::in(*target_);
            if constexpr (std::is_reference_v<T>) {
                return static_cast<T>(*value);
            } else {
                if constexpr (std::is_copy_constructible_v<T>)
                    if (target_->refs > 2) return value;  // somebody else may still look at it
                return std::move(value);
            }
        }
    }
};

// Waits until something is done, however it ended: throws only if the waiting task itself is cancelled, and
// then asks what it waited for to cancel as well.
class [[nodiscard]] done_wait : public outcome_wait {
  public:
    using outcome_wait::outcome_wait;
    void await_resume() { resume_regardless(); }
};
inline done_wait until_done(const any_future& f) { return done_wait(f.raw()); }

// A done callback that can be registered more than once and taken back.
template <class Result>
class done_callback {
  public:
    template <class F>
    explicit done_callback(F f)
        : function_(std::make_shared<std::function<void(const Result&)>>(std::move(f))) {}
    void operator()(const Result& r) const { (*function_)(r); }
    friend bool operator==(const done_callback&, const done_callback&) = default;

  private:
    std::shared_ptr<std::function<void(const Result&)>> function_;
};

// What task<T> and future<T> have in common; Self is one of them.
template <class T, class Base, class Self>
class result_of : public Base {
  public:
    using value_type = T;
    using callback_type = done_callback<Self>;
    using Base::Base;

    // The value. Throws what the body threw, cancelled_error, or invalid_state_error if it is not done.
    std::add_lvalue_reference_t<std::add_const_t<T>> result() const {
        throw_unless_finished(*this->outcome_);
        if constexpr (!std::is_void_v<T>) {
            if constexpr (std::is_reference_v<T>)
                return *value_of<T>::in(*this->outcome_);
            else
                return value_of<T>::in(*this->outcome_);
        }
    }

    // Never called from within this call: queued by call_soon when the result is there, in the order of
    // registration.
    template <class F>
    requires std::is_invocable_v<F&, const Self&> callback_type add_done_callback(F f)
    const {
        callback_type c(std::move(f));
        add_done_callback(c);
        return c;
    }
    void add_done_callback(const callback_type& c) const {
        auto* const n = ::new (frame_pool::allocate(sizeof(registered))) registered(c);
        if (this->done())
            registered::on_done(*n, *this->outcome_);
        else
            subscribe(*this->outcome_, *n);
    }
    // Removes all its registrations; returns how many there were.
    std::size_t remove_done_callback(const callback_type& c) const {
        std::size_t removed = 0;
        for (completion** at = &this->outcome_->callbacks; *at;) {
            completion* const it = *at;
            if (it->done != &registered::on_done || static_cast<registered*>(it)->function != c) {
                at = &it->next;
                continue;
            }
            *at = it->next;
            static_cast<registered*>(it)->destroy();
            ++removed;
        }
        return removed;
    }

    // In the order of completion no other task comes between: what is done does not yield. The result of a
    // named task or future is shared by all who await it; that of a temporary is moved out if nobody else
    // holds it.
    shared_result_wait<T> operator co_await() const& noexcept {
        return shared_result_wait<T>(*this->outcome_);
    }
    last_result_wait<T> operator co_await() && noexcept { return last_result_wait<T>(*this->outcome_); }

  private:
    struct registered : completion {
        explicit registered(const callback_type& c) : completion(&on_done), function(c) {}
        static void on_done(completion& c, outcome& o) {
            auto& self = static_cast<registered&>(c);
            if (o.done() && !o.owner->is_closed())
                o.owner->call_soon_in(std::move(self.context), self.function, Self(o));
            self.destroy();
        }
        void destroy() noexcept {
            this->~registered();
            frame_pool::release(this, sizeof(registered));
        }
        callback_type function;
        std::shared_ptr<context_values> context = loop::keep_context();
    };
};

template <class T = void>
class [[nodiscard]] future : public result_of<T, any_future, future<T>> {
    using base = result_of<T, any_future, future<T>>;

  public:
    future() = default;
    explicit future(outcome& o) noexcept : base(o) {}
    // Pending, bound to that loop.
    explicit future(loop& l, std::source_location at = std::source_location::current()) : base(make(l, at)) {}

    // Each throws invalid_state_error if the future is done.
    template <class U = T>
    requires(!std::is_void_v<T>) void set_result(U&& value) const {
        outcome& o = expect_pending();
        if constexpr (std::is_reference_v<T>)
            value_of<T>::make(o, std::addressof(value));
        else
            value_of<T>::make(o, std::forward<U>(value));
        o.state = phase::finished;
        announce(o);
    }
    void set_result() const requires std::is_void_v<T> {
        outcome& o = expect_pending();
        o.state = phase::finished;
        announce(o);
    }
    void set_exception(std::exception_ptr e) const {
        outcome& o = expect_pending();
        o.set_error(std::move(e));
        o.state = phase::failed;
        o.set(flag::unretrieved);
        announce(o);
    }
    template <class E>
    requires std::is_base_of_v<std::exception, std::decay_t<E>>
    void set_exception(E&& e) const { set_exception(std::make_exception_ptr(std::forward<E>(e))); }

  private:
    static outcome& make(loop& l, const std::source_location& at) {
        void* const raw = frame_pool::allocate(header_bytes<T>);
        auto* const t = ::new (static_cast<std::byte*>(raw) + value_of<T>::extra) task_state;
        t->run = &dispose;
        t->result.owner = &l;
        if (l.get_debug()) [[unlikely]]
            l.notes_of(t->result).created = at;
        return t->result;
    }
    static void dispose(node& n) {
        auto& t = static_cast<task_state&>(n);
        announce(t.result);  // if it is still pending, this frees what was registered
        report_unretrieved(t.result);
        destroy_result<T>(t.result);
        release_header<T>(t, header_bytes<T>);
    }

    outcome& expect_pending() const {
        check_thread(*this->outcome_);
        if (this->outcome_->done()) throw invalid_state_error("the future has a result already");
        return *this->outcome_;
    }
};

template <class T>
future<T> loop::create_future(std::source_location at) {
    return future<T>(*this, at);
}

}  // namespace crossover::asyncio
