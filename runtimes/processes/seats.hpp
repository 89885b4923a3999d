// The places that processes of single items take while they live: stack, parker, and a word on how they
// ended.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

#include "runtimes/blocking/parker.hpp"
#include "runtimes/processes/interruption.hpp"
#include "runtimes/processes/worker_set.hpp"

namespace crossover::processes {

struct forked_batch;
class forker;

struct seat {
    blocking::parker parker;
    forker* by = nullptr;
    const forked_batch* batch = nullptr;
    std::size_t item = 0;
    std::atomic<pid_t> process{0};
    std::atomic<bool> ended{false};  // the item has been noted: the process did not die in it
};

// Shared by all; whoever forks takes a seat, and gives it back when it has buried the process.
class seats {
  public:
    static constexpr std::size_t count = 256;

    seats() { reset(); }

    std::optional<std::size_t> take() {
        for (std::size_t w = 0; w < free_.size(); ++w)
            if (auto i = free_[w].take()) return w * worker_set::capacity + *i;
        return std::nullopt;
    }
    void give_back(std::size_t i) { free_[i / worker_set::capacity].set(i % worker_set::capacity); }

    // Only when no process is left.
    void reset() {
        for (worker_set& word : free_) word.reset(~std::uint64_t{0});
    }

    seat& operator[](std::size_t i) { return seats_[i]; }

    // Ends the waits of all processes, so that they see a stop.
    void wake_all() {
        for (std::size_t w = 0; w < free_.size(); ++w)
            for_each(~free_[w].bits(),
                     [&](std::size_t i) { seats_[w * worker_set::capacity + i].parker.wake(); });
    }

    // Ends their blocked system calls.
    void interrupt_all() {
        for (seat& s : seats_) interrupt(s.process.load());
    }

  private:
    std::array<worker_set, count / worker_set::capacity> free_;
    std::array<seat, count> seats_;
};

}  // namespace crossover::processes
