// The places that processes of single items take while they live: stack, parker, and a word on how they
// ended.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

#include "runtimes/blocking/parker.hpp"
#include "runtimes/pool/worker_set.hpp"
#include "runtimes/processes/interruption.hpp"

namespace crossover::processes {

struct forked_batch;
class forker;

struct seat {
    blocking::parker parker{futex_scope::shared};
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

    explicit seats(std::size_t size) : size_(size) { reset(); }

    // How many of them may be taken.
    std::size_t size() const { return size_; }

    std::optional<std::size_t> take() { return free_.take(); }
    void give_back(std::size_t i) { free_.set(i); }

    // Only when no process is left.
    void reset() {
        for (std::size_t i = 0; i < size_; ++i) free_.set(i);
    }

    seat& operator[](std::size_t i) { return seats_[i]; }

    // Ends the waits of all processes, so that they see a stop.
    void wake_all() {
        for (std::size_t i = 0; i < size_; ++i)
            if (!free_.has(i)) seats_[i].parker.wake();
    }

    // Ends their blocked system calls.
    void interrupt_all() {
        for (seat& s : seats_) interrupt(s.process.load());
    }

  private:
    std::size_t size_;
    pool::worker_set free_{count};
    std::array<seat, count> seats_;
};

}  // namespace crossover::processes
