// Where a blocked worker sleeps. Stopping its batch wakes it, whatever it waits for.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtimes/contract/batch.hpp"
#include "runtimes/system/futex.hpp"

namespace crossover::blocking {

// One per worker (thread or process), in memory that whoever stops a batch can see. The owner waits on
// `word_` (a futex) together with what it waits for, or polls `event_` together with its socket. Waking is
// rare (a batch is stopped) and may be spurious: the owner looks at its stop_state again.
class parker {
  public:
    explicit parker(futex_scope scope = futex_scope::in_process) : scope_(scope) {}
    ~parker();
    parker(const parker&) = delete;
    parker& operator=(const parker&) = delete;

    // Wakes the owner after a stop_state was raised. Any thread or process.
    void wake();

    // Blocks until `until`, or until *word is no longer `expected` (word may be null), or until woken.
    // Throws `cancelled` once `stop` is raised; a deadline of the batch that passes counts as that. Owner
    // only. Returns false when `until` has passed.
    bool wait(const stop_state* stop, const std::atomic<std::uint32_t>* word, std::uint32_t expected,
              time_point until);

    // Blocks until the descriptor is ready for `events` (as in poll). Else as wait(). Owner only.
    bool wait_ready(const stop_state* stop, int descriptor, short events, time_point until);

    // Makes the eventfd, which wait_ready needs under a batch that can be stopped. A process pool calls it
    // before it forks, because a descriptor made later would not be seen by the others. Throws `refused`.
    void open_event();

  private:
    const futex_scope scope_;
    std::atomic<std::uint32_t> word_{0};
    std::atomic<int> event_{-1};
};

using crossover::check;

}  // namespace crossover::blocking
