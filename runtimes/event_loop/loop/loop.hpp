// The event loop: a ready queue, a heap of timers, and the reactor in which it waits.
#pragma once

#include <atomic>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtimes/event_loop/loop/handle.hpp"
#include "runtimes/event_loop/tasks/outcome.hpp"
#include "runtimes/reactor/reactor.hpp"
#include "runtimes/system/processor.hpp"
#include "runtimes/system/timer_heap.hpp"

namespace crossover::asyncio {

struct context_values;
class context;
class any_task;
template <class T>
class coro;
template <class T>
class task;
template <class T>
class future;

// What the exception handler is told.
struct error_report {
    std::string message;
    std::exception_ptr exception = nullptr;  // may be null
    std::string task = {};                   // the name of the task concerned, if any
    std::source_location created = {};       // in debug mode: where that task or future was made; else line 0
};

using exception_handler = std::function<void(loop&, const error_report&)>;

// Is told of each task that is made and says when its body begins: later, as the ready queue has it, or
// inside create_task(), which runs it up to its first wait.
enum class first_step { queued, at_once };
using task_factory = std::function<first_step(loop&, const any_task&)>;

using reactor_factory = std::unique_ptr<reactor> (*)();

std::unique_ptr<reactor> make_epoll_reactor();

// Set when a context first has a value, so that callbacks need not ask for theirs before.
inline constinit std::atomic<bool> contexts_were_used{false};

struct loop_options {
    loop_options() = default;
    reactor_factory back_end = &make_epoll_reactor;
    bool strict_poll =
        false;  // look for I/O in each iteration, as asyncio does, not only every few dozen callbacks
    bool debug = false;  // see loop::set_debug()
};

// One loop serves one thread, the one that runs it. Unless a function says otherwise, call it there.
class loop {
  public:
    explicit loop(const loop_options& options = {});
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;
    // Destroys tasks that are still pending, and reports each.
    ~loop();

    static time_point time() noexcept { return std::chrono::steady_clock::now(); }

    // Runs the callback in the next iteration; callbacks run in the order of the calls. Arguments are copied
    // or moved. Each callback of a loop runs in a copy of the context in which it was asked for; in another
    // with context::bind().
    template <class F, class... Args>
    handle call_soon(F&& f, Args&&... args) {
        check_usable();
        return enqueue(make_call<callback>(std::forward<F>(f), std::forward<Args>(args)...));
    }
    // In a context that keep_context() gave.
    template <class F, class... Args>
    handle call_soon_in(std::shared_ptr<context_values>&& kept, F&& f, Args&&... args) {
        check_usable();
        return enqueue(make_call_in<callback, F>(
            std::move(kept), bind_arguments(std::forward<F>(f), std::forward<Args>(args)...)));
    }

    // The same from any thread; wakes the loop if it sleeps. Throws once the loop is closed.
    template <class F, class... Args>
    threadsafe_handle call_soon_threadsafe(F&& f, Args&&... args) {
        check_open();
        auto cancelled = std::make_shared<std::atomic<bool>>(false);
        auto unless_cancelled =
            [cancelled, call = bind_arguments(std::forward<F>(f), std::forward<Args>(args)...)]() mutable {
                if (!*cancelled) call();
            };
        post(make_call_in<callback, F>(keep_context(), std::move(unless_cancelled)));
        return threadsafe_handle(std::move(cancelled));
    }

    // Never fires early. Equal deadlines fire in the order of the calls. A past deadline fires in the next
    // iteration.
    template <class F, class... Args>
    timer_handle call_at(time_point when, F&& f, Args&&... args) {
        check_usable();
        auto& c = make_call<timed_callback>(std::forward<F>(f), std::forward<Args>(args)...);
        c.owner = this;
        c.when = when;
        timers_.insert(c, when);
        return timer_handle(c);
    }
    template <class Rep, class Period, class F, class... Args>
    timer_handle call_later(std::chrono::duration<Rep, Period> delay, F&& f, Args&&... args) {
        return call_at(deadline_after(delay), std::forward<F>(f), std::forward<Args>(args)...);
    }

    // Runs until stop(). Throws if this or another loop runs in this thread, or if it is closed; and the
    // std::system_error of a back end that the system no longer lets wait, each time there is nothing else to
    // do.
    void run_forever();
    // Runs until the task or future is done, or the coroutine, which becomes a task; returns its result or
    // throws what it threw.
    template <class Awaitable>
    auto run_until_complete(Awaitable&& what, std::source_location at = std::source_location::current());
    // The same; `fresh`: nobody else looks at the result.
    template <class Future>
    auto run_to_end(Future main, bool fresh);
    // Lets the present iteration finish, then leaves run_forever(). Before it: one iteration is run, without
    // waiting.
    void stop() noexcept { stopping_ = true; }
    // Drops all callbacks and timers. Throws while running. Closing twice does nothing.
    //
    // In a child that fork() has made, a loop is the parent's: it cannot be run, and closing or destroying it
    // leaves alone what it holds. The child may run loops of its own, also where the parent's was running.
    void close();
    bool of_this_process() const noexcept { return reactor_->of_this_process(); }
    bool is_running() const noexcept { return running_.load(std::memory_order_relaxed); }
    bool is_closed() const noexcept { return guard_.load(std::memory_order_relaxed) & closed; }

    template <class T>
    task<T> create_task(coro<T> what, std::string name = {},
                        std::source_location at = std::source_location::current());
    // In that context itself, not in a copy (context.hpp).
    template <class T, std::same_as<context> C>
    task<T> create_task(coro<T> what, const C& in, std::source_location at = std::source_location::current());
    template <class T>
    future<T> create_future(std::source_location at = std::source_location::current());

    // Called by create_task() and by all that make tasks of coroutines, as gather() and task_group, once the
    // task has its name and its context. If it throws, the task ends cancelled without having begun, and the
    // exception comes out of create_task(). Null: there is none. eager_task_factory (task.hpp) begins each
    // task at once.
    void set_task_factory(task_factory f) { factory_ = std::move(f); }
    const task_factory& get_task_factory() const noexcept { return factory_; }

    // Debug mode: callbacks and steps that take longer than slow_callback_duration are reported to the
    // exception handler; what belongs to this loop's thread throws std::logic_error in others; tasks and
    // futures note where they were made. Costs nothing while it is off.
    void set_debug(bool on);
    bool get_debug() const noexcept { return guard_.load(std::memory_order_relaxed) & debug; }
    std::chrono::nanoseconds slow_callback_duration = std::chrono::milliseconds(100);

    // Null restores the default, which prints one line to stderr.
    void set_exception_handler(exception_handler h) { handler_ = std::move(h); }
    const exception_handler& get_exception_handler() const noexcept { return handler_; }
    // Never throws, apart from loop_exit: a broken handler is reported itself.
    void call_exception_handler(const error_report& report);
    void default_exception_handler(const error_report& report) const;

    // What belongs to a loop without being part of its core: the default executor, signal handlers. Made at
    // its first use, destroyed by close(), the latest first.
    class service {
      public:
        service() = default;
        service(const service&) = delete;
        service& operator=(const service&) = delete;
        virtual ~service() = default;
    };
    // S is a service with a constructor S(loop&).
    template <class S>
    S& use() {
        if (S* const found = find<S>()) return *found;
        check_open();
        services_.push_back(std::make_unique<S>(*this));
        return static_cast<S&>(*services_.back());
    }

    // Null if it was not used yet.
    template <class S>
    S* find() noexcept {
        for (const auto& s : services_)
            if (auto* const found = dynamic_cast<S*>(s.get())) return found;
        return nullptr;
    }

    reactor& io() noexcept { return *reactor_; }
    // As its attach(). The first one is looked for soon: nobody knows yet how long callbacks take.
    void attach(int fd) {
        if (reactor_->attached() == 0) callbacks_to_poll_ = until_poll_ = 1;
        reactor_->attach(fd);
    }
    // Never used twice, other than the address of a loop.
    std::uint64_t id() const noexcept { return id_; }
    std::uint64_t iterations() const noexcept { return iterations_; }

    // --- for awaitables: hot paths without checks ---
    void make_ready(node& n) noexcept { ready_.push_back(n); }
    // As make_ready(), but last in, first out: for what a batch has just forked or joined, so that trees run
    // depth first and few of their nodes are alive. An iteration runs a bounded number of them after the
    // others.
    void make_ready_ahead(node& n) noexcept { ahead_.push_front(n); }
    // The first step of a task that was just made.
    void start(task_state& t) {
        if (factory_) [[unlikely]]
            start_by_factory(t);
        else
            make_ready(t);
    }
    // Inside this call, unless such starts nest too deep for the stack.
    void start_now(task_state& t);
    // From any thread: as make_ready(), and wakes the loop.
    void post(node& n) noexcept;
    timer_heap& timers() noexcept { return timers_; }
    task_state* current() const noexcept { return current_; }
    task_state* enter(task_state* t) noexcept { return std::exchange(current_, t); }

    // False if the present step has had its share of operations that ended at once: give way before the next.
    bool may_go_on() noexcept {
        if (immediate_ == 0) return false;
        --immediate_;
        return true;
    }

    void enlist(task_state& t, std::source_location created) {
        t.index = static_cast<std::uint32_t>(tasks_.size());
        t.serial = ++last_serial_;
        tasks_.push_back(&t);
        // Few tasks have a context to hand down; in debug mode each has notes.
        if (!current_ || current_->result.has(flag::noted)) [[unlikely]]
            note_creation(t, created);
    }
    void delist(const task_state& t) noexcept {
        task_state* const last = tasks_.back();
        tasks_[t.index] = last;
        last->index = t.index;
        tasks_.pop_back();
    }
    const std::vector<task_state*>& tasks() const noexcept { return tasks_; }

    // What few tasks have, and what therefore does not lie in their state.
    struct notes {
        std::string name;
        std::string cancel_message;
        std::shared_ptr<context_values> context;  // context.hpp; null: has no values
        std::source_location created;             // in debug mode
        std::source_location body;                // of a task likewise: its coroutine function
        node::function step = nullptr;            // of a task likewise: what its own function stands before
    };
    notes& notes_of(outcome& o) {
        o.set(flag::noted);
        return notes_[&o];
    }
    const notes* find_notes(const outcome& o) const noexcept {
        if (!o.has(flag::noted)) return nullptr;
        const auto at = notes_.find(&o);
        return at == notes_.end() ? nullptr : &at->second;
    }
    void forget_notes(const outcome& o) noexcept { notes_.erase(&o); }
    std::source_location creation_of(const outcome& o) const noexcept {
        const notes* const n = find_notes(o);
        return n ? n->created : std::source_location();
    }
    std::string name_of(const task_state& t) const;

    // A copy of the context of whoever calls, in whatever thread; null if that has no values.
    static std::shared_ptr<context_values> keep_context() {
        if (!contexts_were_used.load(std::memory_order_relaxed)) [[likely]]
            return nullptr;
        return copy_of_context();
    }
    static std::shared_ptr<context_values> copy_of_context();
    // A callable that runs in a context which keep_context() gave.
    template <class F>
    static auto with_context(std::shared_ptr<context_values> kept, F f) {
        return [kept = std::move(kept), f = std::move(f)]() mutable {
            const running_callback here(kept);
            f();
        };
    }
    // The callback under way sees that context; null: one without values, made when it is first asked for.
    class running_callback {
      public:
        explicit running_callback(std::shared_ptr<context_values> kept);
        running_callback(const running_callback&) = delete;
        running_callback& operator=(const running_callback&) = delete;
        ~running_callback();

      private:
        std::shared_ptr<context_values> outer_;
    };
    std::shared_ptr<context_values>& callback_context() noexcept { return callback_context_; }
    void forget_callback_context() noexcept {
        if (callback_context_) [[unlikely]]
            callback_context_.reset();
    }

    // Whether this loop object still exists; of any thread.
    static bool alive(const loop* l) noexcept;
    static bool alive(const loop* l, std::uint64_t id) noexcept { return alive(l) && l->id() == id; }

    template <class Rep, class Period>
    static time_point deadline_after(std::chrono::duration<Rep, Period> delay) {
        return deadline_after(nanoseconds_of(delay));
    }
    static time_point deadline_after(std::chrono::nanoseconds delay) noexcept {
        const time_point now = time();
        return delay > time_point::max() - now ? time_point::max() : now + delay;
    }
    // Zero for what has passed, however long ago.
    static std::chrono::nanoseconds time_until(time_point when) noexcept {
        const time_point now = time();
        return when > now ? when - now : std::chrono::nanoseconds(0);
    }
    // Saturates; throws std::invalid_argument for NaN.
    template <class Rep, class Period>
    static std::chrono::nanoseconds nanoseconds_of(std::chrono::duration<Rep, Period> d) {
        using std::chrono::nanoseconds;
        if constexpr (std::is_floating_point_v<Rep>) {
            if (std::isnan(d.count()))
                throw std::invalid_argument("a delay is not a number: give a finite duration");
        }
        using wide = std::chrono::duration<long double, std::nano>;
        if constexpr (!std::is_floating_point_v<Rep> && std::ratio_less_equal_v<std::nano, Period> &&
                      std::is_same_v<Period, std::nano>) {
            return std::chrono::duration_cast<nanoseconds>(d);
        } else {
            if (wide(d) >= wide(nanoseconds::max())) return nanoseconds::max();
            if (wide(d) <= wide(nanoseconds::min())) return nanoseconds::min();
            return std::chrono::duration_cast<nanoseconds>(d);
        }
    }

  private:
    static constexpr std::uint32_t most_immediate = 64;
    static constexpr std::int32_t most_callbacks_to_poll = 61;  // 1 where each iteration is to poll
    static constexpr std::uint32_t most_ahead = 256;
    static constexpr std::uint8_t most_eager_starts = 200;

    // The bits of guard_, so that one test serves for both.
    static constexpr std::uint8_t closed = 1;
    static constexpr std::uint8_t debug = 2;

    void check_open() const {
        if (is_closed()) throw_closed();
    }
    void check_usable() const {
        if (guard_.load(std::memory_order_relaxed)) [[unlikely]]
            refuse_if_unusable();
    }
    [[noreturn]] static void throw_closed();
    void refuse_if_unusable() const;
    // Throws as run_forever() does.
    void check_may_run() const;
    void run_once();
    void look_around();
    void poll(std::chrono::nanoseconds timeout);
    void adapt(std::int64_t done, std::int64_t took_ns) noexcept;
    void note_creation(task_state& t, std::source_location created);
    void watch_steps(task_state& t);
    void start_by_factory(task_state& t);

    template <class Base, class F, class... Args>
    static Base& make_call(F&& f, Args&&... args) {
        auto call = bind_arguments(std::forward<F>(f), std::forward<Args>(args)...);
        if (contexts_were_used.load(std::memory_order_relaxed)) [[unlikely]]
            return make_call_here<Base, F>(std::move(call));
        return *make_callback<Base, std::decay_t<F>>(std::move(call));
    }
    // F is the callable as given, Call what is to be called.
    template <class Base, class F, class Call>
    static Base& make_call_in(std::shared_ptr<context_values>&& kept, Call&& call) {
        using given = std::decay_t<F>;
        if (kept) [[unlikely]]
            return *make_callback<Base, given>(with_context(std::move(kept), std::forward<Call>(call)));
        return *make_callback<Base, given>(std::forward<Call>(call));
    }
    // Apart, so that what exceptions need is not in the way of those that have no context.
    template <class Base, class F, class Call>
    [[gnu::noinline]] static Base& make_call_here(Call&& call) {
        return make_call_in<Base, F>(copy_of_context(), std::forward<Call>(call));
    }
    handle enqueue(callback& c) {
        if (cross_thread_.load(std::memory_order_relaxed)) [[unlikely]]
            take_cross_thread();  // what another thread called earlier goes first
        ready_.push_back(c);
        return handle(c);
    }
    void take_cross_thread() noexcept;
    void drop_callbacks() noexcept;

    node_list ready_;
    node_list ahead_;  // a stack
    task_state* current_ = nullptr;
    std::uint32_t immediate_ = most_immediate;
    std::int32_t until_poll_ = 0;  // callbacks until a busy loop asks the reactor again
    std::uint32_t last_serial_ = 0;
    bool stopping_ = false;
    bool cannot_wait_ = false;          // the reactor has failed: what is ready still runs
    std::atomic<bool> running_{false};  // other threads ask for it only in debug mode
    std::uint8_t eager_starts_ = 0;     // that lie within one another
    timer_heap timers_;
    std::unique_ptr<reactor> reactor_;
    std::vector<task_state*> tasks_;
    std::uint64_t iterations_ = 0;
    std::int64_t polled_ = 0;  // when the reactor was last asked, by the coarse clock
    const std::int32_t most_to_poll_;
    std::int32_t callbacks_to_poll_ = most_to_poll_;  // where until_poll_ begins
    std::uint64_t id_;
    std::unordered_map<const outcome*, notes> notes_;
    exception_handler handler_;
    task_factory factory_;
    std::shared_ptr<context_values> callback_context_;
    std::vector<std::unique_ptr<service>> services_;
    std::atomic<std::uint8_t> guard_{0};
    alignas(cache_line_bytes) std::atomic<node*> cross_thread_{nullptr};  // latest first
};

inline constinit thread_local loop* running_loop = nullptr;

inline loop::running_callback::running_callback(std::shared_ptr<context_values> kept)
    : outer_(std::exchange(running_loop->callback_context_, std::move(kept))) {}
inline loop::running_callback::~running_callback() {
    if (running_loop->callback_context_ || outer_) running_loop->callback_context_ = std::move(outer_);
}

// The loop that runs in this thread; throws if there is none.
inline loop& get_running_loop() {
    if (!running_loop)
        throw std::logic_error(
            "no running event loop in this thread: call this from a coroutine or callback of a loop");
    return *running_loop;
}

}  // namespace crossover::asyncio
