// process_per_task: a process is forked for each item, nested ones included, and ends with it.
#pragma once

#include <algorithm>
#include <string>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/family.hpp"
#include "runtimes/processes/forked.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// Forked by a zygote, which is small and has one thread: cheaper and safer than forking the caller. At most
// guaranteed_concurrency() processes are alive; beyond that an item of a nested batch runs in the process
// that asked for it.
class process_per_task : public processes::of_the_family {
  public:
    using context = processes::forked_context;

    static constexpr std::string_view name = "process_per_task";
    static constexpr engineering engineered = engineering::textbook;

    // Must be made before the process has any thread.
    explicit process_per_task(const options& o)
        : items_("process_per_task", *o.memory, guaranteed_concurrency()) {}

    std::size_t guaranteed_concurrency() const {
        return std::min(processes::process_slots::count, waits_.guaranteed_concurrency);
    }
    std::string concurrency_limit() const {
        return guaranteed_concurrency() < processes::process_slots::count
                   ? waits_.limit
                   : "the table in which it keeps its processes";
    }

    // At most: besides the items the caller and the zygote.
    resource_use resources() const {
        return {.threads = guaranteed_concurrency() + 2,
                .processes = guaranteed_concurrency() + 2,
                .stack_bytes = processes::forked_items::stack_bytes};
    }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        items_.run(n, item_job, batch, rules);
    }

    usage workers_used() const { return items_.used(); }
    std::span<const int> worker_ids() const { return {}; }  // none outlives its item

  private:
    // A process has page tables and a kernel stack of its own, and copies what it writes to.
    const waits_allowed waits_ = waits_within_limits(cost_of_waiting{.bytes = 256 * 1024, .threads = 1});
    processes::forked_items items_;
};

static_assert(runtime<process_per_task> && has_workers<process_per_task> &&
              verbs_are_explained<process_per_task>());

}  // namespace crossover
