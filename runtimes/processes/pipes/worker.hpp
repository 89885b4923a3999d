// A worker's side of a socket: what it receives, what it answers, and the context of its items.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "runtimes/blocking/parker.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/extents.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/pipes/line.hpp"

namespace crossover::pipes {

// What needs nothing but the item's own process: no nested batches, semaphores or channels.
class context : public blocking::verbs {
  public:
    using verbs::verbs;
    using semaphore = void;  // that of other blocking models lies in memory that all share
};

// An order is this, then what `kind` says. The caller counts what was read of it: there is one at a time.
struct order {
    enum class kind {
        first_item,  // of a batch: a batch_order, its extents (inputs, then outputs), what all items read,
                     // then
        item,        // what this item reads
        report       // nothing
    } what;
    std::size_t item;
};

struct batch_order {
    job<context> call;
    const void* batch;
    time_point deadline;
    std::size_t inputs, outputs;  // how many extents
};

// The answer to an item: this, then its outputs if it ended well, else the error's text. To a request for a
// report: the worker's usage.
struct answer {
    ended how;
    int signal;
};

class worker {
  public:
    explicit worker(int socket) : line_(socket) {}

    // Works forever.
    [[noreturn]] void serve();

  private:
    void open(const batch_order& b);
    void run(std::size_t item);
    static void stop(int);

    line line_;
    blocking::parker parker_;
    std::optional<stop_state> state_;              // of the batch, as the caller has told
    std::atomic<stop_state*> stoppable_{nullptr};  // the same, for the signal's handler
    batch_order batch_{};
    std::vector<extent> inputs_, outputs_;

    static inline std::atomic<worker*> of_this_process{nullptr};
};

}  // namespace crossover::pipes
