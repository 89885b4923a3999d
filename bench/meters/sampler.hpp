// Opens a cell, ensures that it has passed its check pass, meters its passes, and checks the result.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>

#include "bench/cell/cell.hpp"
#include "bench/meters/lazy_servers.hpp"
#include "bench/meters/memory.hpp"
#include "bench/meters/sample.hpp"

namespace crossover::bench {

// What the process held before it had a model.
struct empty_bench {
    footprint memory;
    open_objects open;

    static empty_bench now();
};

// Used from the thread that made the model. Every function throws wrong_result and what the runtime throws;
// no number comes out of a cell that did so.
class sampler {
  public:
    // All of it outlives the sampler.
    sampler(model& m, lazy_origin& origin, lazy_load& load, const empty_bench& before)
        : model_(m), origin_(origin), load_(load), before_(before) {}

    // Runs the check pass.
    account check_pass(cell& c);
    // How long the check pass took that the cell has passed in this process; runs it if there was none.
    std::chrono::nanoseconds checked(cell& c);

    // What has to be done before the next pass: to be called within `timed`, which is not charged for it.
    void before_pass(cell& c);
    // Meters `timed`, which must call before_pass() and c.pass() `iterations` times; `untimed` passes that
    // count nowhere come directly before it.
    sample take(cell& c, std::uint64_t iterations, const std::function<void()>& timed,
                std::uint64_t untimed = 0);
    // Timed here and not by Google Benchmark, which would filter by name, sort and format a table for each
    // sample around the same two readings of the clock.
    sample take(cell& c, std::uint64_t iterations, std::uint64_t untimed = 0);

  private:
    environment around(cell& c);
    account check_opened(cell& c);
    void run_passes(cell& c, std::uint64_t count);
    void judge(const cell_facts& facts, account& seen) const;
    void begin_peak_at_origin(const cell_facts& facts);
    void check_peak_at_origin(const cell_facts& facts);

    model& model_;
    lazy_origin& origin_;
    lazy_load& load_;
    empty_bench before_;
    std::map<const cell*, std::chrono::nanoseconds> passed_;
    // Of the present sample, spent before its passes.
    std::chrono::nanoseconds aside_{0};
    usage used_aside_;
};

}  // namespace crossover::bench
