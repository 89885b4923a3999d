// task<T>: a coroutine that runs on its own, resumed by the loop's ready queue.
#pragma once

#include <string>
#include <vector>

#include "runtimes/event_loop/tasks/awaiter.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"
#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

// A shared reference to a task of whatever type. The loop holds one as well until the task is done, so that
// no running task is lost when all others go.
class any_task : public any_future {
  public:
    using any_future::any_future;

    // As given, else "Task-N" with the number of its creation in its loop.
    std::string name() const { return outcome_->owner->name_of(state()); }
    void set_name(std::string name) const { outcome_->owner->notes_of(*outcome_).name = std::move(name); }

    // How often cancel() was called, less the calls of uncancel().
    unsigned cancelling() const noexcept { return outcome_->cancelling; }
    // Takes one request back and returns how many are left; at 0 a cancellation that was not delivered yet is
    // dropped.
    unsigned uncancel() const noexcept {
        if (outcome_->cancelling > 0 && --outcome_->cancelling == 0) outcome_->clear(flag::must_cancel);
        return outcome_->cancelling;
    }

    task_state& state() const noexcept { return task_state::of(*outcome_); }
};

template <class T = void>
class [[nodiscard("a task that nobody holds cannot be awaited or cancelled; it runs all the same")]] task
    : public result_of<T, any_task, task<T>> {
  public:
    using result_of<T, any_task, task<T>>::result_of;
};

// Destroys the frames of a task that will not be resumed, apart from its own; the innermost goes first.
void unwind(task_state& t);

// For a task whose await was cancelled in a frame that catches nothing (nothrow_cancel.hpp). Returns true if
// that holds for all its frames: finish() destroys the last. Otherwise the first ordinary caller is the one
// to be resumed, and its await throws.
bool drop_frames(task_state& t);

// What the loop does with a task of result T; the frame lies behind the state.
template <class T>
struct task_code {
    // The function of its node: one step, up to where it waits next.
    static void step(node& n) {
        auto& t = static_cast<task_state&>(n);
        loop& l = *t.result.owner;
        if (t.result.has(flag::must_cancel | flag::never_begun | flag::catchless)) [[unlikely]] {
            const std::uint8_t had = t.result.flags;
            t.result.clear(flag::never_begun | flag::catchless);
            if (had & flag::never_begun) {
                if (had & flag::must_cancel) return finish(t);
                t.result.frame = frame_of(t).address();
            } else if (had & flag::must_cancel) {
                t.result.clear(flag::must_cancel);
                t.result.set(flag::interrupted);
            } else if (had & flag::wait_over) {
                if (drop_frames(t)) return finish(t);
            }
        }
        t.awaiting = nullptr;
        task_state* const outer = l.enter(&t);
        // Null until it waits again, so that nobody takes a frame for waiting that is no longer there.
        resume_chain(std::coroutine_handle<>::from_address(std::exchange(t.result.frame, nullptr)));
        l.enter(outer);
        if (t.result.state != phase::pending) finish(t);
    }

    static void finish(task_state& t) {
        outcome& o = t.result;
        if (o.state != phase::returned || o.has(flag::must_cancel)) [[unlikely]]
            return finish_without_value(t);
        o.state = phase::finished;
        retire(t);
    }

    // Apart, so that the registers which exceptions need are not saved for every task that returns.
    [[gnu::noinline]] static void finish_without_value(task_state& t) {
        outcome& o = t.result;
        std::exception_ptr exit;
        if (o.state == phase::threw) {
            o.state = is_cancelled_error(o.error) ? phase::cancelled : phase::failed;
            if (o.state == phase::failed) {
                o.set(flag::unretrieved);
                if (is_loop_exit(o.error)) exit = o.error;
            }
        } else {  // cancelled before it began, or cancelled itself and returned
            destroy_result<T>(o);
            o.set_error(pending_cancellation(t));
            o.state = phase::cancelled;
        }
        o.clear(flag::must_cancel);
        retire(t);
        if (exit) std::rethrow_exception(exit);
    }

    // Of what has ended: the frame goes, who waits is told, and the loop's reference is given up.
    static void retire(task_state& t) {
        loop& l = *t.result.owner;
        task_state* const outer = l.enter(&t);
        frame_of(t).destroy();
        l.enter(outer);
        t.run = &dispose;
        l.delist(t);
        announce(t.result);
        release(t.result);
    }

    static void dispose(node& n) {
        auto& t = static_cast<task_state&>(n);
        report_unretrieved(t.result);
        destroy_result<T>(t.result);
        release_header<T>(t, t.bytes);
    }

    // Makes the coroutine's frame a task, which step() has not been called for. One reference, the loop's, is
    // there.
    static task_state& adopt(loop& l, coro<T>&& what) {
        task_state* const t = what.release();
        if (!t) throw std::logic_error("cannot make a task of a coroutine that was moved from or awaited");
        t->run = &step;
        t->awaiting = nullptr;
        t->result.owner = &l;
        t->result.refs = 1;
        t->result.flags = flag::is_task | flag::never_begun;
        return *t;
    }
};

// The body does not run now, unless the loop starts eagerly: its first step is queued.
template <class T>
task<T> loop::create_task(coro<T> what, std::string name, std::source_location at) {
    check_usable();
    task_state& t = task_code<T>::adopt(*this, std::move(what));
    enlist(t, at);
    task<T> result(t.result);
    if (!name.empty()) [[unlikely]]
        result.set_name(std::move(name));
    start(t);
    return result;
}

// In the loop that runs in this thread.
template <class T>
task<T> create_task(coro<T> what, std::source_location at = std::source_location::current()) {
    loop& l = get_running_loop();
    task_state& t = task_code<T>::adopt(l, std::move(what));
    l.enlist(t, at);
    task<T> result(t.result);
    l.start(t);
    return result;
}
template <class T>
task<T> create_task(coro<T> what, std::string name,
                    std::source_location at = std::source_location::current()) {
    return get_running_loop().create_task(std::move(what), std::move(name), at);
}

template <awaiter A>
auto create_task(A what, std::source_location at = std::source_location::current()) {
    return create_task(as_coro(std::move(what)), at);
}

// For loop::set_task_factory(): what ends before its first wait is done when create_task() returns, and never
// was in the ready queue.
inline first_step eager_task_factory(loop&, const any_task&) { return first_step::at_once; }

// Runs the body at once, as every create_task() does with eager_task_factory.
template <class T>
task<T> create_eager_task(coro<T> what, std::source_location at = std::source_location::current()) {
    loop& l = get_running_loop();
    task_state& t = task_code<T>::adopt(l, std::move(what));
    l.enlist(t, at);
    task<T> result(t.result);
    l.start_now(t);
    return result;
}

// The task whose step is being run; empty in a callback and outside a loop.
inline any_task current_task() {
    task_state* const t = running_loop ? running_loop->current() : nullptr;
    return t ? any_task(t->result) : any_task();
}

// The tasks of that loop that are not done.
inline std::vector<any_task> all_tasks(const loop& l) {
    std::vector<any_task> all;
    all.reserve(l.tasks().size());
    for (task_state* t : l.tasks()) all.emplace_back(t->result);
    return all;
}
inline std::vector<any_task> all_tasks() { return all_tasks(get_running_loop()); }

template <class T>
task<T> as_future(loop& l, coro<T> what, const std::source_location& at = {}) {
    return l.create_task(std::move(what), {}, at);
}
template <awaiter A>
auto as_future(loop& l, A what, const std::source_location& at = {}) {
    return l.create_task(as_coro(std::move(what)), {}, at);
}
template <class T>
future<T> as_future(loop&, future<T> what, const std::source_location& = {}) {
    return what;
}
template <class T>
task<T> as_future(loop&, task<T> what, const std::source_location& = {}) {
    return what;
}

template <class Awaitable>
auto loop::run_until_complete(Awaitable&& what, std::source_location at) {
    check_may_run();  // first, for a coroutine that is refused must not become a task all the same
    constexpr bool fresh = requires { typename std::decay_t<Awaitable>::promise_type; };
    return run_to_end(as_future(*this, std::forward<Awaitable>(what), at), fresh);
}

template <class Future>
auto loop::run_to_end(Future main, bool fresh) {
    outcome& o = main.raw();
    if (o.owner != this)
        throw std::invalid_argument("run_until_complete: the task or future belongs to another event loop");
    const auto stopper = main.add_done_callback([this, &o](const auto&) {
        if (o.state != phase::failed || !is_loop_exit(o.get_error())) stop();
    });
    try {
        run_forever();
    } catch (...) {
        main.remove_done_callback(stopper);
        if (fresh) o.clear(flag::unretrieved);  // what comes out here is the task's own exception
        throw;
    }
    main.remove_done_callback(stopper);
    if (!main.done()) throw std::runtime_error("the event loop was stopped before its main task was done");
    using value = typename Future::value_type;
    main.result();
    if constexpr (std::is_reference_v<value>) {
        return std::ref(main.result());
    } else if constexpr (!std::is_void_v<value>) {
        if constexpr (std::is_copy_constructible_v<value>)
            if (!fresh) return value(main.result());
        return value(std::move(value_of<value>::in(o)));
    }
}

}  // namespace crossover::asyncio
