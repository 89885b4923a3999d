// process_per_task: a process is forked for each item, nested ones included, and ends with it.
#pragma once

#include "runtimes/processes/family.hpp"
#include "runtimes/processes/forked.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// Forked by a zygote, which is small and has one thread: cheaper and safer than forking the caller. At most
// at_once() processes are alive; beyond that an item of a nested batch runs in the process that asked for it.
class process_per_task : public processes::of_the_family {
  public:
    using context = processes::forked_context;

    static constexpr std::string_view name = "process_per_task";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view at_once_limit = "the table in which it keeps its processes";

    // Must be made before the process has any thread.
    explicit process_per_task(const options& o) : items_("process_per_task", *o.memory) {}

    std::size_t at_once() const { return processes::seats::count; }

    // At most: besides the items the caller and the zygote.
    resources held() const {
        return {.threads = at_once() + 2,
                .processes = at_once() + 2,
                .stack_bytes = processes::forked_items::stack_bytes};
    }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        items_.run(n, each, batch, rules);
    }

    usage workers_used() const { return items_.used(); }
    std::span<const int> worker_ids() const { return {}; }  // none outlives its item

  private:
    processes::forked_items items_;
};

static_assert(runtime<process_per_task> && has_workers<process_per_task> &&
              verbs_are_explained<process_per_task>());

}  // namespace crossover
