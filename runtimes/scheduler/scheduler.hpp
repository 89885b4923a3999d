// What the workers of a pool share: the running batch, and what each needs to know of the others. The same
// for threads and processes, which differ in the substrate.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "runtimes/blocking/parker.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/scheduler/atomic_bitset.hpp"
#include "runtimes/scheduler/claims.hpp"
#include "runtimes/scheduler/context.hpp"
#include "runtimes/scheduler/help_deque.hpp"
#include "runtimes/scheduler/share.hpp"
#include "runtimes/system/futex.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover::pool {

// A nested batch. Lies on the stack of the item that runs it: its owner leaves only when no thief is inside
// any more.
template <futex_scope Scope>
struct nested_batch {
    nested_batch(const policy& rules, const stop_state* outer, std::size_t n, job<context<Scope>> item_job,
                 const void* data, std::size_t owner, std::size_t root)
        : state(rules, outer),
          count(n),
          call(item_job),
          items(data),
          owner_id(owner),
          root_item(root),
          left(n) {}

    static constexpr std::uint32_t owner_sleeps = std::uint32_t{1} << 31;

    batch_state state;
    const std::size_t count;
    const job<context<Scope>> call;
    const void* const items;
    const std::size_t owner_id;
    const std::size_t root_item;  // the item of the outermost batch that this is part of
    claims<Scope> left;
    std::atomic<std::uint32_t> gone{0};  // thieves that have left again, and whether the owner sleeps
};

// The thefts that a worker is inside of, each while it waits for the one before: the calls for help in its
// deque belong to the last or to batches below it. Bounded, because every level needs stack.
template <futex_scope Scope>
class thefts {
  public:
    using batch = nested_batch<Scope>;

    // Any worker, as has().
    bool empty() const { return depth_.load(std::memory_order_seq_cst) == 0; }

    // Owner only.
    bool full() const { return depth_.load(std::memory_order_relaxed) == from_.size(); }

    void enter(const batch& b) {
        const std::size_t level = depth_.load(std::memory_order_relaxed);
        from_[level].store(&b, std::memory_order_seq_cst);
        depth_.store(level + 1, std::memory_order_seq_cst);
    }
    void leave() {
        const std::size_t level = depth_.load(std::memory_order_relaxed) - 1;
        depth_.store(level, std::memory_order_seq_cst);
        from_[level].store(nullptr, std::memory_order_seq_cst);
    }

    void clear() { depth_.store(0, std::memory_order_seq_cst); }

    // Any worker.
    bool has(const batch& b) const {
        const std::size_t depth = depth_.load(std::memory_order_seq_cst);
        for (std::size_t level = 0; level < depth; ++level)
            if (from_[level].load(std::memory_order_seq_cst) == &b) return true;
        return false;
    }

  private:
    std::array<std::atomic<const batch*>, 16> from_{};
    std::atomic<std::size_t> depth_{0};
};

// What others need to see of a worker.
template <futex_scope Scope>
struct worker_slot {
    // Where the worker itself sleeps, when it waits neither in a verb nor for its item.
    alignas(cache_line_bytes) std::atomic<std::uint32_t> signal{0};
    std::atomic<bool> rests{true};            // sleeps, or is about to, until called in
    std::atomic<bool> awaits_thieves{false};  // sleeps until they end or have something that it may do
    std::atomic<bool> followed{false};        // somebody who awaits thieves awaits this one
    std::atomic<bool> overlooked{false};      // somebody rests since this one stole
    thefts<Scope> inside;

    alignas(cache_line_bytes) help_deque<Scope> invited;
    alignas(cache_line_bytes) share items;  // of the running batch

    // For the case of its death.
    alignas(cache_line_bytes) std::atomic<std::size_t> item{
        0};                                 // the item of the outermost batch that it works for
    std::atomic<std::uint32_t> holding{0};  // the number of the batch whose items it holds or is claiming
    std::atomic<const nested_batch<Scope>*> touching{nullptr};  // the batch that it is entering or leaving
    std::atomic<bool> dead{false};

    // With its death items of the running batch, whose number this is, may be lost.
    bool holds_items_of(std::uint32_t batch) const {
        return holding.load(std::memory_order_seq_cst) == batch || !inside.empty() ||
               touching.load(std::memory_order_seq_cst) != nullptr;
    }

    blocking::parker parker{Scope};

    // For the successor of a dead worker, once nobody works.
    void clear() {
        rests.store(false);
        awaits_thieves.store(false);
        followed.store(false);
        overlooked.store(false);
        inside.clear();
        invited.clear();
        items.clear();
        holding.store(0);
        touching.store(nullptr);
        dead.store(false);
    }
};

// What threads and processes do differently. Called by workers.
class substrate {
  public:
    // Worker `id` has done a part of the batch, and is about to say so.
    virtual void part_done(std::size_t id) = 0;
    // All items have ended; or a worker rests after one has died.
    virtual void batch_ended() = 0;

  protected:
    ~substrate() = default;
};

// In memory that all workers see.
template <futex_scope Scope>
struct scheduler {
    using context = pool::context<Scope>;
    using slot = worker_slot<Scope>;

    // `slots`: one for each worker. A worker that finds nothing to do looks on for `look` before it sleeps.
    scheduler(substrate& on, slot* of_workers, std::size_t how_many, std::chrono::nanoseconds look)
        : how(on), slots(of_workers), workers(how_many), patience(look), resting(how_many) {}

    substrate& how;
    slot* const slots;
    const std::size_t workers;
    const std::chrono::nanoseconds patience;

    stop_state lost{stop_state::by_signal{}};  // raised when a worker has died: nobody starts anything then
    std::atomic<bool> closing{false};          // threads: they end

    // The running batch. Written while `left` is 0, read by whoever has claimed a unit.
    job<context> call = nullptr;
    const void* items = nullptr;
    std::atomic<std::size_t> base{0};  // index of the first item that is being shared out
    std::size_t count = 0;             // how many of them
    std::uint32_t number = 0;          // of the batch, as share counts
    bool in_lanes = false;             // a unit is not an item but a lane, which runs one after the other
    batch_state* state = nullptr;

    alignas(cache_line_bytes) share undivided;  // what no worker has taken into its own share yet
    alignas(cache_line_bytes) std::atomic<std::size_t> next{0};  // for lanes: the next item
    alignas(cache_line_bytes) std::atomic<std::size_t> left{0};  // units that have not ended
    alignas(cache_line_bytes)
        atomic_bitset resting;  // those that may be called; some may have got up already

    // Shares out the items [first, first + n) of a batch and wakes workers for them. n <= share::limit.
    void share_out(batch_state& batch, job<context> item_job, const void* data, std::size_t first,
                   std::size_t n);

    // Somebody may claim an item of the running batch. One that is being stolen is not seen: see overlook().
    bool has_items() const;
    // How often workers have tried to steal, counted as share::thefts() does.
    std::uint32_t thefts() const;
    // For a worker that is about to rest: tells those that steal now, who will call somebody for what was
    // overlooked. False when a theft has begun or ended since thefts() was `before`: then it has to look
    // again.
    bool overlook(std::uint32_t before);
    // Gives worker `id` work if it rests.
    bool call_in(std::size_t id);
    // Gives so many that rest work, as far as there are some.
    void call_resting(std::size_t how_many);
    void wake(std::size_t id);
    // Ends the waits of all that work, so that they see a stop.
    void wake_working();
};

}  // namespace crossover::pool
