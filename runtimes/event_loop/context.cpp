// Context variables: where the current context is, and how a task comes to its own.
#include "runtimes/event_loop/context.hpp"

#include <atomic>

namespace crossover::asyncio {
namespace {

const std::shared_ptr<context_values>& of_this_thread() {
    thread_local const auto values = std::make_shared<context_values>();
    return values;
}

}  // namespace

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
    task_state* const t = running_loop ? running_loop->current() : nullptr;
    if (!t) return context(of_this_thread());
    auto& values = running_loop->notes_of(t->result).context;
    if (!values) values = std::make_shared<context_values>();
    return context(values);
}

std::uint64_t new_context_key() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

void loop::inherit_context(task_state& t) {
    std::shared_ptr<context_values> from;
    if (!current_)
        from = of_this_thread();
    else if (const notes* const creator = find_notes(current_->result))
        from = creator->context;
    if (from && from->all) notes_of(t.result).context = std::make_shared<context_values>(*from);
}

}  // namespace crossover::asyncio
