// A runtime as the bench's main loop sees it: its type is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cell.hpp"
#include "runtimes/runtime.hpp"

namespace crossover::bench {

struct model_facts {
    std::string name;
    std::string family;
    std::string variant_of;  // the model of the family that this is a variant of, or itself
    std::string native_of;   // the model that this is the native twin of; empty: it is none
    engineering engineered = engineering::library;
    std::string_view semaphore_order;  // fifo or barging; empty: it has none
    std::string_view channel_order;    // likewise
    std::string back_end;
    std::size_t cores = 1;  // that it was made for
    std::size_t at_once;
    std::string at_once_limit;    // what sets that; may be empty
    bool in_chunks = false;       // of several items, which run one after the other
    bool copies_batches = false;  // to workers that see nothing of the caller's memory
    resources held;
    std::vector<std::pair<std::string_view, std::string_view>>
        verbs;                      // and why it lacks them, empty if it has
    std::uint64_t start_up_ns = 0;  // of the runtime's constructor
};

inline std::string_view why_not(const model_facts& on, verb v) {
    for (const auto& [name, reason] : on.verbs)
        if (name == name_of(v)) return reason;
    return {};
}

class model {
  public:
    virtual ~model() = default;
    virtual const model_facts& facts() const = 0;
    virtual arena& memory() = 0;
    // Seen by all workers, whatever they copy.
    virtual arena& instruments() { return memory(); }
    // Of all lists, then those that were kept.
    virtual const std::vector<std::unique_ptr<cell>>& cells() const = 0;
    // Takes a cell at another size of one of them.
    virtual cell& keep(std::unique_ptr<cell> further) = 0;
    // Of processes that the runtime has forked; nothing for one that works in this process only.
    virtual std::vector<int> worker_ids() const = 0;
    virtual usage workers_used() const = 0;
};

// The model of the runtime that the program was linked for. To be called before the process has a second
// thread: the runtime may fork. Throws what the runtime throws.
// `workers`: a pool of another size than its own, which is a variant with a name of its own and has only the
// workloads in which such a size counts, those that wait; 0: as it is.
std::unique_ptr<model> make_model(std::size_t cores, std::size_t workers = 0);

}  // namespace crossover::bench
