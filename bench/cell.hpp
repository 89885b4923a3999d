// One workload at one size on one runtime, as the bench's main loop sees it: the runtime's type is gone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/account.hpp"
#include "workloads/workload.hpp"

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
    virtual account gate() = 0;

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
    // gate or, if there was none in this process, right. Throws wrong_result; gives the checksum.
    virtual std::uint64_t check(std::uint64_t iterations) = 0;
    // What the last pass showed beside its outputs.
    virtual std::vector<note> notes() const { return {}; }
    // A cell of the same workload at another size, see params_with(). Throws bad_params.
    virtual std::unique_ptr<cell> at(const named_params&) const = 0;
    // Of all passes since clear(), if the workload measures them.
    virtual std::optional<latencies> measured_latencies() { return std::nullopt; }
};

}  // namespace crossover::bench
