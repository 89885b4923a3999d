// What one timed sample measured. Sums over all its iterations.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "workloads/contract/workload.hpp"

namespace crossover::bench {

struct sample {
    std::uint64_t iterations = 0;
    std::uint64_t checksum = 0;
    std::uint64_t start_ns = 0;  // CLOCK_MONOTONIC
    std::uint64_t wall_ns = 0;
    usage used;                        // of the whole process tree of the model
    std::uint64_t peak_rss_bytes = 0;  // as memory.hpp says, above an empty bench
    std::uint64_t pss_bytes = 0;
    std::optional<std::uint64_t> origin_cpu_ns;
    std::optional<std::uint64_t> load_cpu_ns;
    std::optional<latencies> latency;
    std::vector<note> notes;  // of the last iteration
};

}  // namespace crossover::bench
