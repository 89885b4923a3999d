// The work account: what the items of a check pass did, counted by the suite, not by the runtime.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtimes/contract/arena.hpp"

namespace crossover::bench {

// How many of the kernel objects that models wait through one process has open.
struct open_objects {
    std::uint32_t eventpolls = 0;
    std::uint32_t io_urings = 0;
};

// In this process or, where one of them has more, in `workers`, now.
open_objects open_kernel_objects(std::span<const int> workers);
open_objects most_of(const open_objects& a, const open_objects& b);
// The kinds of which more are open than were before: "eventpoll", "io_uring".
std::vector<std::string> newly_open(const open_objects& now, const open_objects& before);

// The sum of one check pass.
struct account {
    std::uint64_t executions = 0;
    std::uint64_t peak_alive = 0;             // 0 for a tree, whose nodes are not followed to their end
    std::uint64_t threads = 0;                // distinct thread ids that ran items
    std::uint64_t processes = 0;              // distinct process ids that ran items
    open_objects open;                        // the most that a process was seen with during the pass
    std::vector<std::string> kernel_objects;  // the kinds that this comes to, see newly_open
    std::uint64_t checksum = 0;
};

// Counts in the arena, so that items in any thread or process are seen.
class ledger {
  public:
    // One counter per index (a tree has none: nodes carry no index).
    ledger(arena& memory, std::size_t items);

    // Around each item of the check pass.
    void begin(std::size_t index);
    void end();
    // One execution without an index.
    void count();

    // The first index that did not run exactly once, in words; empty when all did.
    std::string mistake() const;
    account total() const;

  private:
    // A small set of ids: open addressing over atomics.
    class id_set {
      public:
        void add(std::uint32_t id);
        std::uint64_t size() const;

      private:
        static constexpr std::size_t slots = 4096;
        std::atomic<std::uint32_t> ids_[slots] = {};
    };

    void note_worker();
    void look_at_kernel_objects();

    std::span<std::atomic<std::uint32_t>> runs_;
    std::atomic<std::uint64_t> executions_{0};
    std::atomic<std::uint64_t> ended_{0};
    std::atomic<std::int64_t> alive_{0};
    std::atomic<std::int64_t> peak_{0};
    id_set threads_;
    id_set processes_;
    std::atomic<std::uint32_t> eventpolls_{0};
    std::atomic<std::uint32_t> io_urings_{0};
};

}  // namespace crossover::bench
