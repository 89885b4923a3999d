// Context variables: where the current context is, and how a task comes to its own.
#include "runtimes/event_loop/context.hpp"

#include <atomic>

namespace crossover::asyncio {
namespace {

const std::shared_ptr<context_values>& of_this_thread() {
    thread_local const auto values = std::make_shared<context_values>();
    return values;
}

constinit thread_local const entered_context* innermost = nullptr;

task_state* this_task() noexcept { return running_loop ? running_loop->current() : nullptr; }

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
    if (!t) return context(of_this_thread());
    auto& values = running_loop->notes_of(t->result).context;
    if (!values) values = std::make_shared<context_values>();
    return context(values);
}

std::uint64_t new_context_key() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

context copy_context() {
    const task_state* const t = this_task();
    // A task that has no values need not get notes for that.
    if (t && !running_loop->find_notes(t->result)) return context();
    return context::current().copy();
}

void loop::inherit_context(task_state& t) {
    std::shared_ptr<context_values> from;
    if (const auto* const entered = entered_context::of(current_))
        from = *entered;
    else if (!current_)
        from = of_this_thread();
    else if (const notes* const creator = find_notes(current_->result))
        from = creator->context;
    if (from && from->all) notes_of(t.result).context = std::make_shared<context_values>(*from);
}

}  // namespace crossover::asyncio
