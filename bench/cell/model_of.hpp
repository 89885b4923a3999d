// Makes a model of a runtime and a list of workloads.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/cell/cell.hpp"
#include "workloads/contract/workload.hpp"

namespace crossover::bench {

// `workers`: what its pool was told to have; 0: what the model chooses.
template <class R>
model_facts facts_of(const R& runtime, std::size_t workers = 0) {
    model_facts facts;
    facts.name = workers == 0 ? std::string(R::name) : std::string(R::name) + "_" + std::to_string(workers);
    facts.family = R::family;
    if constexpr (requires { R::variant_of; })
        facts.variant_of = R::variant_of;
    else
        facts.variant_of = R::name;
    facts.engineered = R::engineered;
    using context = typename R::context;
    if constexpr (can_limit<context>) facts.semaphore_order = name_of(context::semaphore::order);
    if constexpr (can_queue<context>)
        facts.channel_order = name_of(context::template channel<std::uint64_t>::order);
    facts.back_end = R::back_end;
    facts.guaranteed_concurrency = runtime.guaranteed_concurrency();
    if constexpr (requires { runtime.concurrency_limit(); })
        facts.concurrency_limit = runtime.concurrency_limit();
    if constexpr (requires { R::in_chunks; }) facts.in_chunks = R::in_chunks;
    facts.copies_batches = copies_batches<R>;
    facts.resources = runtime.resources();
    for (verb v : all_verbs) facts.verbs.emplace_back(name_of(v), R::missing_reason(v));
    return facts;
}

// The cells of the runtime that `facts` tell of, in the order of the list and of each workload's sizes. They
// keep a reference to the runtime.
template <class R, class... W>
cell_list cells_of(R& runtime, const model_facts& facts, workload_list<W...>) {
    cell_list all;
    (make_cells<W>(all, facts, &runtime, passes_of<R, W>()), ...);
    return all;
}

template <class R>
class model_of final : public model {
  public:
    // Must run before the process has a second thread: the runtime may fork. Throws what the runtime throws.
    template <class... W>
    model_of(std::size_t cores, std::size_t workers, workload_list<W...> workloads)
        : begin_(std::chrono::steady_clock::now()),
          runtime_(options{cores, &memory_, workers}),
          end_(std::chrono::steady_clock::now()),
          facts_(facts_of(runtime_, workers)),
          cells_(cells_of(runtime_, facts_, workloads)) {
        facts_.cores = cores;
        facts_.start_up_ns = static_cast<std::uint64_t>((end_ - begin_).count());
        if (workers != 0)
            std::erase_if(cells_, [](const auto& each) {
                return each->facts().kind != work_class::io && each->facts().kind != work_class::lessons;
            });
    }

    const model_facts& facts() const override { return facts_; }
    arena& memory() override { return memory_; }
    arena& instruments() override { return instruments_; }
    const cell_list& cells() const override { return cells_; }
    cell& keep(std::unique_ptr<cell> further) override { return *cells_.emplace_back(std::move(further)); }

    std::vector<int> worker_ids() const override {
        if constexpr (has_workers<R>) {
            std::span<const int> ids = runtime_.worker_ids();
            return {ids.begin(), ids.end()};
        } else {
            return {};
        }
    }

    usage workers_used() const override {
        if constexpr (has_workers<R>)
            return runtime_.workers_used();
        else
            return {};
    }

  private:
    arena memory_;
    arena instruments_{std::size_t{256} << 20};  // four bytes an item, and no more of a tight 'ulimit -v'
    // The order matters: the clock is read before and after the runtime is made.
    time_point begin_;
    R runtime_;
    time_point end_;
    model_facts facts_;
    cell_list cells_;
};

}  // namespace crossover::bench
