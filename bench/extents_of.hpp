// What a batch of a workload consists of, for runtimes that copy it to their workers.
#pragma once

#include <array>
#include <cstddef>

#include "bench/batch.hpp"
#include "runtimes/extents.hpp"
#include "workloads/workload.hpp"

namespace crossover::bench {

// Of a workload that is_described(), whose items see `shared`; to be kept until the run is over.
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

}  // namespace crossover::bench
