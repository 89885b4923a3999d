// Starting the fibers of a batch and waiting for them.
#include "runtimes/fibers/fibers.hpp"

namespace crossover {

void fibers::running::stop() {
    told = true;
    state.raise();
    owner.scheduler_.wake_stopped();
}

void fibers::running::run_item(std::size_t i) noexcept {
    context ctx(owner, state.stop());
    if (run_noted(state, i, [&] { item_job(ctx, batch, i).finish(); })) owner.scheduler_.wake_stopped();
    if (--alive == wake_at) waiter->wake();
    owner.scheduler_.before_end();
}

void fibers::running::wait_until_alive(std::size_t most) {
    while (alive > most) {
        fiber::waiting self(owner.scheduler_);
        waiter = &self;
        wake_at = most;
        // The batch's deadline is kept here, and here only: an item or a start that finds it over tells no
        // sleeper.
        const bool may_expire = !state.rules().cannot_stop() && !told;
        if (!self.suspend(nullptr, may_expire ? state.rules().deadline : never)) stop();
        wake_at = unlimited;
    }
}

void fibers::run_batch(std::size_t n, job<context> item_job, const void* batch, policy rules,
                       const stop_state* outer) {
    running all(*this, item_job, batch, rules, outer);
    try {
        for (std::size_t i = 0; i < n; ++i) {
            all.wait_until_alive(rules.in_flight - 1);
            if (all.state.stopped()) break;
            ++all.alive;
            scheduler_.before_dispatch();
            try {
                boost::fibers::fiber(boost::fibers::launch::dispatch, std::allocator_arg,
                                     fiber::stacks::allocator(stacks_), [&all, i] { all.run_item(i); })
                    .detach();
            } catch (...) {
                --all.alive;
                throw;
            }
        }
    } catch (...) {
        all.stop();
        all.wait_until_alive(0);
        throw;
    }
    all.wait_until_alive(0);
    all.state.finish();
}

fibers::~fibers() {
    // Boost frees the stack of an ended fiber when its dispatcher runs next.
    while (stacks_.in_use() != 0) scheduler_.yield();
}

}  // namespace crossover
