// For debugging: the tasks of a loop, and slow steps.
#include "runtimes/event_loop/loop/debug.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {
namespace {

std::string seconds(std::chrono::nanoseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f s", std::chrono::duration<double>(time).count());
    return text;
}

std::string readable(const std::type_info& type) {
    int failed = 0;
    char* const name = abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed);
    std::string text = failed ? type.name() : name;
    std::free(name);
    return text;
}

// GCC calls the body of work(int) "void work(work(int)::_Z4worki.Frame*)".
std::string coroutine_name(const std::source_location& body) {
    std::string_view text = body.function_name();
    if (text.starts_with("void ")) text.remove_prefix(5);
    int depth = 0;
    for (std::size_t at = text.size(); at-- > 0;) {
        if (text[at] == ')') ++depth;
        if (text[at] == '(' && --depth == 0) return std::string(text.substr(0, at));
    }
    return std::string(text);
}

const char* name_of(phase p) {
    switch (p) {
        case phase::finished:
            return "finished";
        case phase::failed:
            return "failed";
        case phase::cancelled:
            return "cancelled";
        default:
            return "pending";
    }
}

// What a task that is not done is about.
std::string activity(const task_state& t) {
    if (running_loop && running_loop->current() == &t) return "running";
    if (t.awaiting) return "awaits " + t.awaiting->describe();
    return "ready";
}

}  // namespace

std::string seconds_until(time_point when) { return seconds(loop::time_until(when)); }

void append_creation(std::string& text, const loop::notes& n) {
    if (n.created.line() == 0) return;
    text += ", made at " + std::string(n.created.file_name()) + ":" + std::to_string(n.created.line());
}

std::string describe(const any_future& f) {
    if (!f) return "no task";
    const outcome& o = f.raw();
    if (!loop::alive(o.owner)) return "of a loop that is gone";
    const loop::notes* const n = o.owner->find_notes(o);
    std::string text = "a future";
    if (o.has(flag::is_task)) {
        text = o.owner->name_of(any_task(f.raw()).state());
        if (n && n->body.line() != 0) text += " " + coroutine_name(n->body);
    }
    text += ", ";
    if (o.done() || !o.has(flag::is_task)) {
        text += name_of(o.state);
    } else {
        text += activity(any_task(f.raw()).state());
    }
    if (n) append_creation(text, *n);
    return text;
}

std::string describe_tasks(const loop& l) {
    std::vector<any_task> all = all_tasks(l);
    std::sort(all.begin(), all.end(),
              [](const any_task& a, const any_task& b) { return a.state().serial < b.state().serial; });
    std::string text;
    for (const any_task& t : all) text += describe(t) + "\n";
    return text;
}

void loop::set_debug(bool on) {
    if (!on) {
        guard_.fetch_and(closed, std::memory_order_relaxed);
        return;
    }
    guard_.fetch_or(debug, std::memory_order_relaxed);
    debug_mode_was_used.store(true, std::memory_order_relaxed);
    for (task_state* t : tasks_) watch_steps(*t);
}

void loop::note_creation(task_state& t, std::source_location created) {
    if (auto context = keep_context()) notes_of(t.result).context = std::move(context);
    if (!get_debug()) return;
    watch_steps(t);
    notes& n = notes_of(t.result);
    n.created = created;
    n.body = t.result.body;
}

void loop::watch_steps(task_state& t) {
    notes& n = notes_of(t.result);
    if (n.step) return;
    n.step = t.run;
    t.run = [](node& task) {
        const auto& state = static_cast<task_state&>(task);
        const node::function step = state.result.owner->find_notes(state.result)->step;
        const step_watch watch(state);
        step(task);
    };
}

void loop::refuse_if_unusable() const {
    check_open();
    if (is_running() && running_loop != this)
        throw std::logic_error(
            "the event loop runs in another thread: use call_soon_threadsafe or run_coroutine_threadsafe");
}

void check_thread_of(const outcome& o) {
    if (!loop::alive(o.owner) || !o.owner->get_debug()) return;
    if (o.owner->is_running() && running_loop != o.owner)
        throw std::logic_error(
            "this task or future belongs to an event loop that runs in another thread: use "
            "call_soon_threadsafe");
}

step_watch::step_watch(const task_state& t) : loop_(t.result.owner->get_debug() ? t.result.owner : nullptr) {
    if (!loop_) return;
    if (const loop::notes* const n = loop_->find_notes(t.result)) {
        task_ = n->name;
        created_ = n->created;
        body_ = n->body;
    }
    serial_ = t.serial;
    begun_ = loop::time();
}

void step_watch::report_if_slow() noexcept {
    const auto took = loop::time() - begun_;
    if (took < loop_->slow_callback_duration) return;
    try {
        error_report report;
        std::string what;
        if (callback_) {
            what = "callback " + readable(*callback_);
        } else {
            report.task = task_.empty() ? "Task-" + std::to_string(serial_) : task_;
            report.created = created_;
            what = report.task;
            if (body_.line() != 0) what += " " + coroutine_name(body_);
        }
        report.message = "Executing " + what + " took " + seconds(took);
        loop_->call_exception_handler(report);
    } catch (...) {  // of the handler: a loop_exit cannot leave from a destructor
    }
}

}  // namespace crossover::asyncio
