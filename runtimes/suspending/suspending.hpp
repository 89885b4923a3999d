// Semaphore and channel for models that suspend whole stacks on several threads.
#pragma once

#include <optional>

#include "runtimes/blocking/async.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/suspending/elements.hpp"
#include "runtimes/suspending/permits.hpp"

namespace crossover::cross_thread {

// `Verbs` is the model's context; `Waiter` is made from it and has
//   suspend(): until it is called, or the context's batch is stopped;
//   await_call(): until it is called, whatever is stopped.
template <class Verbs, class Waiter>
class suspending_semaphore {
  public:
    static constexpr discipline order = discipline::fifo;

    explicit suspending_semaphore(std::size_t count) : permits_(count) {}

    blocking::ready<permit> acquire(Verbs& ctx) {
        check(ctx.stop());
        if (!permits_.try_take()) wait(ctx);
        return blocking::ready<permit>(permit(permits_));
    }

  private:
    void wait(Verbs& ctx) {
        Waiter mine(ctx);
        if (permits_.take_or_wait(mine)) return;
        mine.suspend();
        if (permits_.withdraw(mine)) throw cancelled();
        mine.await_call();
    }

    permits permits_;
};

template <class Verbs, class Waiter, class T>
class suspending_channel {
  public:
    static constexpr discipline order = discipline::fifo;

    suspending_channel(arena& memory, std::size_t capacity) : elements_(memory, capacity) {}

    blocking::ready<bool> push(Verbs& ctx, T value) {
        check(ctx.stop());
        passed how = elements_.try_push(value);
        if (how == passed::waits) how = wait_to_push(ctx, value);
        return blocking::ready<bool>(how == passed::yes);
    }

    blocking::ready<std::optional<T>> pop(Verbs& ctx) {
        check(ctx.stop());
        std::optional<T> value;
        if (elements_.try_pop(value) == passed::waits) value = wait_to_pop(ctx);
        return blocking::ready<std::optional<T>>(value);
    }

    void close() { elements_.close(); }

  private:
    using turn = typename elements<T, Waiter>::turn;

    passed wait_to_push(Verbs& ctx, const T& value) {
        turn mine(ctx);
        mine.value = value;
        if (passed how = elements_.push_or_wait(mine); how != passed::waits) return how;
        mine.suspend();
        if (elements_.withdraw_producer(mine)) throw cancelled();
        mine.await_call();
        return mine.value ? passed::closed : passed::yes;
    }

    std::optional<T> wait_to_pop(Verbs& ctx) {
        turn mine(ctx);
        if (elements_.pop_or_wait(mine) != passed::waits) return mine.value;
        mine.suspend();
        if (elements_.withdraw_consumer(mine)) throw cancelled();
        mine.await_call();
        return mine.value;
    }

    elements<T, Waiter> elements_;
};

}  // namespace crossover::cross_thread
