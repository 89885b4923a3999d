// A native twin: the work of a cell written by hand against one library, without the contract, so that suite
// / native shows what the suite costs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/cell/cell.hpp"

namespace crossover::bench::native {

// What a twin may use: as much as the model that it is paired with.
struct setting {
    std::size_t cores;
    std::optional<endpoint> origin;  // for workloads that fetch
};

// A twin of workload W is a class T with
//   T(const W::params&, const setting&)    untimed: makes what such a program keeps, worker processes for one
//   run(std::span<W::output>)              one timed iteration
//   static resources(cores) → resource_use       what it runs on, as a runtime says it
// and where needed
//   static fits(const W::params&)          the sizes that it is written for, if not for all
//   worker_ids()                           its processes
// It is followed by a registered<W, T>("model").

class twin_cell : public cell {
  public:
    // Of processes that it keeps.
    virtual std::vector<int> worker_ids() const { return {}; }
};

// The twins of one model on one workload.
struct entry {
    std::string_view model;
    std::optional<resource_use> (*resources)(std::size_t cores);  // none where there is no twin
    std::string_view back_end;                                    // as a runtime's
    std::string_view why_none;  // why no fair twin can be written; empty where there is one
    std::vector<std::unique_ptr<twin_cell>> (*cells)(const entry&, std::size_t cores);
};

// Filled before main() by whatever twins are linked: one whose library is missing is not.
std::vector<entry>& registry();

}  // namespace crossover::bench::native
