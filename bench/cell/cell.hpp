// Cells and their model as the rest of the bench sees them, without the types of workload and runtime, and
// what joins these: a cell is one workload at one size on one runtime.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cell/account.hpp"
#include "runtimes/contract/runtime.hpp"
#include "workloads/contract/workload.hpp"

namespace crossover::bench {

// What stands in the hello line and in every result.
struct cell_facts {
    std::string workload;
    std::string question;
    work_class kind;
    named_params params;
    std::string name;  // as Google Benchmark shows it: fetch/model:event_loop/requests:1000/delay_us:5000
    lists in;
    metric decides;
    std::string unit;
    std::uint64_t units;      // owed by one iteration
    std::uint64_t scheduled;  // tasks that the model schedules for it
    std::string bound;        // the least time, in words
    std::uint64_t bound_ns;   // for a machine and a model without limits; 0: not known from the parameters
    std::uint64_t least_ns;   // on this model
    bool needs_origin;
    bool needs_load = false;
    std::uint64_t at_server = 0;  // how many requests the origin may see in flight; 0: that is not limited
    bool fresh_process = false;   // memory that an earlier pass left behind would be counted again
    bool waits;                   // its items go through the model's back end: they sleep or use the network
    bool before_pass = false;     // before_pass() does something
    std::string paced_by;         // the param that says how fast its work comes; empty: it has none
    std::uint64_t in_flight;      // how many items may be alive at once
    std::string unsupported;      // why not, empty when the cell can run
};

// The result of a run is not what the workload owes: no number may come of it.
class wrong_result : public std::runtime_error {
  public:
    using runtime_error::runtime_error;
};

class cell {
  public:
    virtual ~cell() = default;
    virtual const cell_facts& facts() const = 0;

    // Takes memory and makes the params visible to the workers; `close` gives all back.
    virtual void open(const environment&) = 0;
    virtual void close() = 0;

    // One untimed iteration that counts, outside the runtime's control, what the items really did, and
    // verifies the outputs. Throws wrong_result. What the runtime throws (item_error, refused, ...) passes.
    virtual account check_pass() = 0;

    // How long the least that any model must do for one iteration takes here, on `cores` cores and with no
    // model: the shortest of several times. 0: the workload knows nothing of the kind.
    virtual std::uint64_t bare_ns(std::size_t) const { return 0; }

    // Forgets the outputs of earlier passes.
    virtual void clear() = 0;
    // What has to be done before each pass and is no part of it.
    virtual void before_pass() {}
    // One iteration: the timed part.
    virtual void pass() = 0;
    // After clear() and `iterations` passes: every item ran once in each and the outputs are those of the
    // check pass or, if there was none in this process, right. Throws wrong_result; gives the checksum.
    virtual std::uint64_t check(std::uint64_t iterations) = 0;
    // What the last pass showed beside its outputs.
    virtual std::vector<note> notes() const { return {}; }
    // A cell of the same workload at another size, see params_with(). Throws bad_params.
    virtual std::unique_ptr<cell> at(const named_params&) const = 0;
    // Of all passes since clear(), if the workload measures them.
    virtual std::optional<latencies> measured_latencies() { return std::nullopt; }
};

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
    std::size_t guaranteed_concurrency;
    std::string concurrency_limit;  // what sets that; may be empty
    bool in_chunks = false;         // of several items, which run one after the other
    bool copies_batches = false;    // to workers that see nothing of the caller's memory
    resource_use resources;
    std::vector<std::pair<std::string_view, std::string_view>>
        verbs;                      // and why it lacks them, empty if it has
    std::uint64_t start_up_ns = 0;  // of the runtime's constructor
};

inline std::string_view missing_reason(const model_facts& on, verb v) {
    for (const auto& [name, reason] : on.verbs)
        if (name == name_of(v)) return reason;
    return {};
}

using cell_list = std::vector<std::unique_ptr<cell>>;

class model {
  public:
    virtual ~model() = default;
    virtual const model_facts& facts() const = 0;
    virtual arena& memory() = 0;
    // Seen by all workers, whatever they copy.
    virtual arena& instruments() { return memory(); }
    // Of all lists, then those that were kept.
    virtual const cell_list& cells() const = 0;
    // Takes a cell at another size of one of them.
    virtual cell& keep(std::unique_ptr<cell> further) = 0;
    // Of processes that the runtime has forked; nothing for one that works in this process only.
    virtual std::vector<int> worker_ids() const = 0;
    virtual usage workers_used() const = 0;
};

// One pass over the items of a cell. Each takes the runtime and what its jobs see: of a tree the level above
// its root, else the batch.
struct passes {
    void (*timed)(void* runtime, void* batch,
                  const environment&) = nullptr;  // null: not on this runtime
    void (*check_pass)(void* runtime, void* batch, const environment&) = nullptr;  // the same work, counted
};

// Of workload W on runtime R: in passes.hpp, compiled for each pair.
template <class R, class W>
passes passes_of();

// Adds the cells of W, in the order of its sizes, on the runtime that the facts tell of: in make_cells.hpp,
// compiled once for each workload.
template <class W>
void make_cells(cell_list&, const model_facts&, void* runtime, passes);

// The model of the runtime that the program was linked for. To be called before the process has a second
// thread: the runtime may fork. Throws what the runtime throws.
// `workers`: a pool of another size than its own, which is a variant with a name of its own and has only the
// workloads in which such a size counts, those that wait; 0: as it is.
std::unique_ptr<model> make_model(std::size_t cores, std::size_t workers = 0);

}  // namespace crossover::bench
