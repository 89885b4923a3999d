// Context variables: where the current context is, and how a task gets its own.
#include "runtimes/event_loop/loop/context.hpp"

#include <atomic>

namespace crossover::asyncio {
namespace {

const std::shared_ptr<context_values>& of_this_thread() {
    thread_local const auto values = std::make_shared<context_values>();
    return values;
}

constinit thread_local const entered_context* innermost = nullptr;

task_state* this_task() noexcept { return running_loop ? running_loop->current() : nullptr; }
// If no task runs.
bool in_callback() noexcept { return running_loop && running_loop->is_running(); }

}  // namespace

entered_context::entered_context(std::shared_ptr<context_values> values)
    : values_(std::move(values)), task_(this_task()), outer_(std::exchange(innermost, this)) {
    if (task_) running_loop->notes_of(this_task()->result);  // so that tasks it makes ask for the context
}

entered_context::~entered_context() { innermost = outer_; }

const std::shared_ptr<context_values>* entered_context::of(const task_state* t) noexcept {
    return innermost && innermost->task_ == t ? &innermost->values_ : nullptr;
}

const std::any* context_values::find(std::uint64_t key) const {
    if (!all) return nullptr;
    const auto at = all->find(key);
    return at == all->end() ? nullptr : &at->second;
}

void context_values::set(std::uint64_t key, std::any value) {
    contexts_were_used.store(true, std::memory_order_relaxed);
    auto changed = all ? std::make_shared<map>(*all) : std::make_shared<map>();
    changed->insert_or_assign(key, std::move(value));
    all = std::move(changed);
}

void context_values::erase(std::uint64_t key) {
    if (!find(key)) return;
    auto changed = std::make_shared<map>(*all);
    changed->erase(key);
    all = std::move(changed);
}

context context::current() {
    task_state* const t = this_task();
    if (const auto* const entered = entered_context::of(t)) return context(*entered);
    if (!t && !in_callback()) return context(of_this_thread());
    auto& values = t ? running_loop->notes_of(t->result).context : running_loop->callback_context();
    if (!values) values = std::make_shared<context_values>();
    return context(values);
}

std::uint64_t new_context_key() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

context copy_context() {
    auto values = loop::keep_context();
    return values ? context(std::move(values)) : context();
}

std::shared_ptr<context_values> loop::copy_of_context() {
    const task_state* const t = this_task();
    std::shared_ptr<context_values> from;
    if (const auto* const entered = entered_context::of(t))
        from = *entered;
    else if (t) {
        if (const notes* const of_task = running_loop->find_notes(t->result)) from = of_task->context;
    } else {
        from = in_callback() ? running_loop->callback_context_ : of_this_thread();
    }
    return from && from->all ? std::make_shared<context_values>(*from) : nullptr;
}

}  // namespace crossover::asyncio
