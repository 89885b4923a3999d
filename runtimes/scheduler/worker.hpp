// A worker of a pool: takes items of the running batch, and helps with nested batches of others.
#pragma once

#include <cstddef>

#include "runtimes/scheduler/scheduler.hpp"

namespace crossover::pool {

template <futex_scope Scope>
class worker {
  public:
    using batch = nested_batch<Scope>;

    worker(scheduler<Scope>& on, std::size_t id) : all_(on), own_(on.slots[id]), id_(id) {}

    // Works and rests until the pool closes.
    void serve();

    void run_nested(std::size_t n, job<context<Scope>> each, const void* data, const policy& rules,
                    const stop_state* outer);

  private:
    void search();
    bool in_sight() const;
    void find_work();
    bool run_share();
    void run_unit(std::size_t unit);
    void run_item(std::size_t index);
    void end_units(std::size_t count);
    bool steal_share();
    bool run_stolen(share& from);
    bool steal_call();
    template <class Wanted>
    bool help_if_invited(std::size_t victim, Wanted wanted);
    bool rest();

    std::size_t run_own(batch& b, std::size_t invited);
    void run_item_of(batch& b, context<Scope>& ctx, std::size_t index);
    void help(batch& b);
    void invite(std::size_t how_many);
    void await_thieves(batch& b, std::size_t stolen);
    bool help_a_thief_of(batch& b);
    void sleep_until_thieves_move(batch& b, std::size_t stolen);
    void leave_if_a_thief_is_dead(const batch& b);

    scheduler<Scope>& all_;
    worker_slot<Scope>& own_;
    const std::size_t id_;
};

extern template class worker<futex_scope::in_process>;
extern template class worker<futex_scope::shared>;

}  // namespace crossover::pool
