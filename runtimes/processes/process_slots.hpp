// The slots of processes that run single items: stack, parker, and how they ended.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>

#include "runtimes/blocking/parker.hpp"
#include "runtimes/processes/interruption.hpp"
#include "runtimes/scheduler/atomic_bitset.hpp"

namespace crossover::processes {

struct forked_batch;
class forker;

struct process_slot {
    blocking::parker parker{futex_scope::shared};
    forker* by = nullptr;
    const forked_batch* batch = nullptr;
    std::size_t item = 0;
    std::atomic<pid_t> process{0};
    std::atomic<bool> ended{false};  // the item has been noted: the process did not die in it
};

// Shared by all; whoever forks takes a process_slot, and gives it back when it has reaped the process.
class process_slots {
  public:
    static constexpr std::size_t count = 256;

    explicit process_slots(std::size_t size) : size_(size) { reset(); }

    // How many of them may be taken.
    std::size_t size() const { return size_; }

    std::optional<std::size_t> take() { return free_.take(); }
    void give_back(std::size_t i) { free_.set(i); }

    // Only when no process is left.
    void reset() {
        for (std::size_t i = 0; i < size_; ++i) free_.set(i);
    }

    process_slot& operator[](std::size_t i) { return slots_[i]; }

    // Ends the waits of all processes, so that they see a stop.
    void wake_all() {
        for (std::size_t i = 0; i < size_; ++i)
            if (!free_.has(i)) slots_[i].parker.wake();
    }

    // Ends their blocked system calls.
    void interrupt_all() {
        for (process_slot& s : slots_) interrupt(s.process.load());
    }

  private:
    std::size_t size_;
    pool::atomic_bitset free_{count};
    std::array<process_slot, count> slots_;
};

}  // namespace crossover::processes
