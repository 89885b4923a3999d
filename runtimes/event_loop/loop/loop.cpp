// The event loop: iterations, running and closing, and reporting errors.
#include "runtimes/event_loop/loop/loop.hpp"

#include <pthread.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <unordered_set>

#include "runtimes/event_loop/loop/debug.hpp"
#include "runtimes/event_loop/loop/notice.hpp"
#include "runtimes/event_loop/tasks/future.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/reactor/epoll_reactor.hpp"

namespace crossover::asyncio {
namespace {

// A tenth of what the exact one costs.
std::int64_t coarse_time() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// Which loops exist, for results that outlive theirs.
struct registry {
    std::mutex lock;
    std::unordered_set<const loop*> loops;
    std::uint64_t last_id = 0;

    static registry& instance() {
        static registry* const r = made();  // outlives every static future
        return *r;
    }

  private:
    static registry* made() {
        ::pthread_atfork([] { instance().lock.lock(); }, [] { instance().lock.unlock(); },
                         [] {
                             instance().loops.clear();  // they are the parent's
                             instance().lock.unlock();
                         });
        return new registry;
    }
};

std::string text_of(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "not a std::exception";
    }
}

void print(const error_report& report) {
    std::string line = report.message;
    if (!report.task.empty()) line += ": " + report.task;
    if (report.created.line() != 0)
        line += std::string(", made at ") + report.created.file_name() + ":" +
                std::to_string(report.created.line());
    if (report.exception) line += ": " + text_of(report.exception);
    std::fprintf(stderr, "%s\n", line.c_str());
}

// Of thousands of tasks the next one has left the cache. Its frame lies behind its node, or the node within
// it: four lines are what a task that sleeps goes through.
inline void prefetch(const node& n) noexcept {
    const auto* const begin = reinterpret_cast<const std::byte*>(&n);
    for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(begin + 64 * line);
}

}  // namespace

std::unique_ptr<reactor> make_epoll_reactor() { return std::make_unique<epoll_reactor>(); }

loop::loop(const loop_options& options)
    : reactor_(options.back_end()), most_to_poll_(options.strict_poll ? 1 : most_callbacks_to_poll) {
    if (options.debug) set_debug(true);
    registry& r = registry::instance();
    const std::lock_guard guard(r.lock);
    r.loops.insert(this);
    id_ = ++r.last_id;
}

loop::~loop() {
    close();
    if (!of_this_process()) tasks_.clear();
    loop* const outer = std::exchange(running_loop, this);  // for destructors of coroutine frames
    while (!tasks_.empty()) {
        task_state& t = *tasks_.back();
        call_exception_handler(
            {"Task was destroyed but it is pending", nullptr, name_of(t), creation_of(t.result)});
        task_state* const outside = enter(&t);
        unwind(t);
        enter(outside);
        // The step of a task that is cancelled before it has begun destroys its frame.
        t.result.set(flag::never_begun | flag::must_cancel);
        t.run(t);
        drop_callbacks();  // whom its end has woken: they are destroyed next, and must stand in no list
    }
    running_loop = outer;
    registry& r = registry::instance();
    const std::lock_guard guard(r.lock);
    r.loops.erase(this);
}

bool loop::alive(const loop* l) noexcept {
    registry& r = registry::instance();
    const std::lock_guard guard(r.lock);
    return r.loops.contains(l);
}

void loop::throw_closed() { throw std::runtime_error("the event loop is closed"); }

void loop::post(node& n) noexcept {
    n.next = cross_thread_.load(std::memory_order_relaxed);
    while (!cross_thread_.compare_exchange_weak(n.next, &n, std::memory_order_release,
                                                std::memory_order_relaxed))
        continue;
    reactor_->notify();
}

void loop::take_cross_thread() noexcept {
    node* first = nullptr;
    for (node* n = cross_thread_.exchange(nullptr, std::memory_order_acquire); n;) {
        node* const next = n->next;
        n->next = first;
        first = n;
        n = next;
    }
    while (first) {
        node* const next = first->next;
        ready_.push_back(*first);
        first = next;
    }
}

// Timers, the kernel, and waiting if there is nothing to do. Apart, so that an iteration that does without
// saves no registers for it.
[[gnu::noinline]] void loop::look_around() {
    const bool idle = ready_.empty() && ahead_.empty();
    std::chrono::nanoseconds timeout{0};
    if (idle && !stopping_) {
        timeout = std::chrono::nanoseconds(-1);
        if (!timers_.empty()) timeout = time_until(timers_.earliest());
    }
    if (timeout.count() != 0 || idle || until_poll_ <= 0) {
        const std::int64_t done = std::int64_t{callbacks_to_poll_} - until_poll_;
        if (timeout.count() != 0 || (reactor_->attached() != 0 && !cannot_wait_)) {
            poll(timeout);
            const std::int64_t now = coarse_time();
            if (!idle) adapt(done, now - polled_);
            polled_ = now;
        }
        until_poll_ = callbacks_to_poll_;
        if (cross_thread_.load(std::memory_order_relaxed)) take_cross_thread();
    }
    if (!timers_.empty()) timers_.expire(time(), ready_);
}

void loop::poll(std::chrono::nanoseconds timeout) {
    try {
        reactor_->poll(timeout, ready_);
        cannot_wait_ = false;
    } catch (...) {
        cannot_wait_ = true;
        throw;
    }
}

// A look at the kernel costs as much as dozens of steps, so a busy loop looks only after as many; but after a
// millisecond, or a few ticks of the coarse clock, if they take as long as the last ones did.
void loop::adapt(std::int64_t done, std::int64_t took_ns) noexcept {
    constexpr std::int64_t longest_ns = 1'000'000;
    const std::int64_t in_time = longest_ns * done / std::max<std::int64_t>(took_ns, 1);
    const std::int64_t most = std::min(2 * callbacks_to_poll_, most_to_poll_);
    callbacks_to_poll_ = static_cast<std::int32_t>(std::clamp<std::int64_t>(in_time, 1, most));
}

inline void loop::run_once() {
    ++iterations_;
    if (cross_thread_.load(std::memory_order_relaxed)) [[unlikely]]
        take_cross_thread();
    if (ready_.empty() || !timers_.empty() || until_poll_ <= 0) look_around();

    if (!ready_.empty()) {
        // What becomes ready from here on stands behind this one and belongs to the next iteration.
        const node* const last = ready_.back();
        bool more;
        do {
            node& n = ready_.pop_front();
            more = &n != last;
            if (more) prefetch(*ready_.front());
            --until_poll_;
            immediate_ = most_immediate;
            n.run(n);
        } while (more);
    }
    for (std::uint32_t i = 0; i < most_ahead && !ahead_.empty(); ++i) {
        node& n = ahead_.pop_front();
        --until_poll_;
        immediate_ = most_immediate;
        n.run(n);
    }
}

void loop::check_may_run() const {
    check_open();
    if (is_running()) throw std::logic_error("this event loop is already running");
    if (!of_this_process())
        throw std::logic_error(
            "this event loop belongs to the parent of a fork(): make another in the child");
    if (running_loop && running_loop->of_this_process())
        throw std::logic_error("cannot run an event loop while another runs in this thread");
}

void loop::run_forever() {
    check_may_run();
    struct scope {
        explicit scope(loop& l) : self(l) { self.running_.store(true, std::memory_order_relaxed); }
        ~scope() {
            self.stopping_ = false;
            self.running_.store(false, std::memory_order_relaxed);
            self.current_ = nullptr;
            running_loop = outer;
        }
        loop& self;
        loop* const outer = std::exchange(running_loop, &self);  // null, or that of a parent process
    } const scope(*this);
    do run_once();
    while (!stopping_);
}

void loop::drop_callbacks() noexcept {
    take_cross_thread();
    ready_.append(std::move(ahead_));
    node_list left = std::move(ready_);
    while (!left.empty()) {
        node& n = left.pop_front();
        if (n.run == &callback::run_node) {
            static_cast<callback&>(n).release();
        } else if (notice::queued_as(n)) {
            try {
                n.run(n);  // its owner must be told, or would wait for it forever
            } catch (...) {
                print({"Exception while the event loop closed", std::current_exception(), {}});
            }
        }
    }
}

void loop::close() {
    if (is_running()) throw std::logic_error("cannot close a running event loop: stop it first");
    if (guard_.fetch_or(closed, std::memory_order_relaxed) & closed) return;
    if (!of_this_process()) {
        for (auto& s : services_) static_cast<void>(s.release());
        return;
    }
    drop_callbacks();  // first, for services own nodes that may stand in the queue
    while (!services_.empty()) services_.pop_back();
    drop_callbacks();
    node_list timed;
    timers_.expire(time_point::max(), timed);
    ready_ = std::move(timed);
    drop_callbacks();
}

std::string loop::name_of(const task_state& t) const {
    const notes* const n = find_notes(t.result);
    return n && !n->name.empty() ? n->name : "Task-" + std::to_string(t.serial);
}

void loop::default_exception_handler(const error_report& report) const { print(report); }

void loop::call_exception_handler(const error_report& report) {
    if (!handler_) return print(report);
    try {
        handler_(*this, report);
    } catch (const loop_exit&) {
        throw;
    } catch (...) {
        print({"Unhandled error in exception handler", std::current_exception(), {}});
    }
}

void report_unretrieved_or_noted(outcome& o) noexcept {
    const bool owner_lives = loop::alive(o.owner);
    if (o.take(flag::unretrieved)) {
        const bool is_task = o.has(flag::is_task);
        error_report report{
            is_task ? "Task exception was never retrieved" : "Future exception was never retrieved",
            o.get_error(),
            {}};
        try {
            if (owner_lives && is_task) report.task = o.owner->name_of(task_state::of(o));
            if (owner_lives) report.created = o.owner->creation_of(o);
            if (owner_lives)
                o.owner->call_exception_handler(report);
            else
                print(report);
        } catch (...) {
            print(report);  // a loop_exit cannot leave from here
        }
    }
    if (owner_lives && o.take(flag::noted)) o.owner->forget_notes(o);
}

std::exception_ptr pending_cancellation(const task_state& t) {
    const auto* const n = t.result.owner->find_notes(t.result);
    if (!n || n->cancel_message.empty()) return nullptr;
    return std::make_exception_ptr(cancelled_error(n->cancel_message));
}

void cancel_out_of(task_state& t, pending& p) {
    std::string message;
    if (const auto* n = t.result.owner->find_notes(t.result)) message = n->cancel_message;
    if (p.cancel(t, message)) t.result.clear(flag::must_cancel);
}

void throw_interrupt(task_state& t) {
    t.result.clear(flag::interrupted | flag::wait_over);
    if (const std::exception_ptr e = pending_cancellation(t)) std::rethrow_exception(e);
    throw cancelled_error();
}

void callback::run_node(node& n) {
    auto& self = static_cast<callback&>(n);
    if (self.cancelled) return self.release();
    self.called = true;
    struct ended {
        explicit ended(callback& c) : self(c) {}
        ~ended() {
            running_loop->forget_callback_context();
            self.of_kind.act(self, action::drop_function);
            self.release();
        }
        callback& self;
    } const ended(self);
    const step_watch watch(*running_loop, self.of_kind.function);
    try {
        self.of_kind.act(self, action::call);
    } catch (const loop_exit&) {
        throw;
    } catch (...) {
        running_loop->call_exception_handler({"Exception in callback", std::current_exception(), {}});
    }
}

void timer_handle::cancel() noexcept {
    if (!callback_) return;
    auto& c = static_cast<timed_callback&>(*callback_);
    handle::cancel();
    if (!timer_heap::armed(c)) return;
    c.owner->timers().remove(c);
    c.release();
}

}  // namespace crossover::asyncio
