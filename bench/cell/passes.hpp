// One pass of a workload over a runtime: with the jobs, the only code that is compiled for each pair of the
// two.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>

#include "bench/cell/cell.hpp"
#include "bench/cell/jobs.hpp"
#include "runtimes/contract/extents.hpp"

namespace crossover::bench {

namespace detail {

// What a batch consists of, for runtimes that copy it to their workers. The workload is_described(), its
// items see `shared`; to be kept until the run is over.
template <class W, class Shared>
class extents_of {
  public:
    extents_of(const batch_of<W>& batch, const Shared* shared)
        : inputs_{read_by_all(&batch), marks(batch)}, outputs_{of_each(batch.slots)} {
        if constexpr (!std::is_same_v<Shared, nothing_shared>) add(read_by_all(shared));
        if constexpr (tells_inputs<W>)
            for (const extent& e : W::inputs(batch.params, *batch.prepared)) add(e);
    }

    extents all() const { return {std::span(inputs_).first(count_), outputs_}; }

  private:
    // The one part of a slot that is there before the item.
    static extent marks(const batch_of<W>& batch) {
        extent e = of_each(batch.slots);
        e.first += offsetof(slot<typename W::output>, marks);
        e.bytes = sizeof batch.slots->marks;
        return e;
    }

    void add(const extent& e) { inputs_.at(count_++) = e; }

    std::array<extent, 6> inputs_;
    std::size_t count_ = 2;
    std::array<extent, 1> outputs_;
};

// What lies in the arena is destroyed and not freed.
struct destroyed {
    template <class T>
    void operator()(T* object) const {
        std::destroy_at(object);
    }
};

template <class W, class C>
auto* make_shared_in(const environment& around, const batch_of<W>& batch) {
    using shared = typename W::template shared<C>;
    if constexpr (has_prepared<W>)
        return around.memory.make<shared>(around, batch.params, *batch.prepared);
    else
        return around.memory.make<shared>(around, batch.params);
}

template <class R, class W, class Shared>
void run_on(R& on, job<typename R::context> each, const batch_of<W>& batch, const Shared* shared) {
    const std::size_t n = W::items(batch.params);
    if constexpr (copies_batches<R>)
        on.run(n, each, &batch, limits_of<W>(batch.params), extents_of<W, Shared>(batch, shared).all());
    else
        on.run(n, each, &batch, limits_of<W>(batch.params));
}

template <class R, class W, job<typename R::context> Each>
void run_items(void* runtime, void* opaque, const environment& around) {
    auto& on = *static_cast<R*>(runtime);
    auto* batch = static_cast<batch_of<W>*>(opaque);
    if constexpr (waiting<W>) {
        const arena::scope here(around.memory);
        const auto made = std::unique_ptr<typename W::template shared<typename R::context>, destroyed>(
            make_shared_in<W, typename R::context>(around, *batch));
        batch->shared = made.get();
        run_on<R, W>(on, Each, *batch, made.get());
    } else {
        run_on<R, W, nothing_shared>(on, Each, *batch, nullptr);
    }
}

template <class R, class W>
void run_from_caller(void* runtime, void* opaque, const environment& around) {
    auto* batch = static_cast<batch_of<W>*>(opaque);
    const arena::scope here(around.memory);
    const auto made = std::unique_ptr<typename W::template shared<typename R::context>, destroyed>(
        make_shared_in<W, typename R::context>(around, *batch));
    std::optional<jobs::counted> counts;
    if (batch->book) counts.emplace(*batch->book, 0);
    batch->slots[0].marks += batch->mark;
    W::from_caller(*static_cast<R*>(runtime), batch->params, *made, batch->slots[0].value);
}

template <class R, class W>
void run_tree(void* runtime, void* level, const environment&) {
    static_cast<R*>(runtime)->run(1, jobs::tree_node<W, typename R::context>(), level, policy{});
}

}  // namespace detail

template <class R, class W>
passes passes_of() {
    using C = typename R::context;
    constexpr bool supported = computing<W> || (tree<W> && can_fork<C>) || waits_on<W, C>;
    static_assert(supported == has_needs<W, C>(), "the workload's needs are not those of its items");
    if constexpr (copies_batches<R> && can_be_started_from_caller<W, R>)
        return {&detail::run_from_caller<R, W>, &detail::run_from_caller<R, W>};
    else if constexpr (!supported || (copies_batches<R> && !is_described<W>()))
        return {};
    else if constexpr (tree<W>)
        return {&detail::run_tree<R, W>, &detail::run_tree<R, W>};
    else if constexpr (computing<W>)
        return {&detail::run_items<R, W, &jobs::timed<W, C>>,
                &detail::run_items<R, W, &jobs::counted_computing<W, C>>};
    else
        return {&detail::run_items<R, W, &jobs::timed<W, C>>,
                &detail::run_items<R, W, &jobs::counted_waiting<W, C>>};
}

}  // namespace crossover::bench
