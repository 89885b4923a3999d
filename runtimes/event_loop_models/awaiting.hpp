// Semaphore and channel for tasks of event loops on several threads.
#pragma once

#include <optional>

#include "runtimes/contract/discipline.hpp"
#include "runtimes/event_loop/loop/loop.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"
#include "runtimes/suspending/elements.hpp"
#include "runtimes/suspending/permits.hpp"

namespace crossover::cross_thread {

// A task that waits for an item which may live on another loop. The call is posted to the task's own loop.
class loop_turn : public asyncio::pending, public waiter {
  public:
    // withdraw(line, turn) takes it out of its line again; false if it has been taken.
    using withdrawal = bool (*)(void* line, loop_turn& mine);
    loop_turn(void* line, withdrawal withdraw)
        : waiter(&called), line_(line), withdraw_(withdraw), arrival_(*this) {}

    // Before the turn is put in line.
    void begin() {
        loop_ = asyncio::running_loop;
        task_ = loop_->current();
    }
    void suspend(std::coroutine_handle<> h) {
        suspended_ = true;
        asyncio::park(*task_, h, *this);
    }
    // After the wait: throws if it was cancelled. What has been handed over is kept, and the next wait
    // throws.
    void settle() {
        if (!suspended_) return;
        if (arrived_)
            task_->result.take(asyncio::flag::interrupted);
        else
            asyncio::check_interrupt(*task_);
    }

  private:
    struct arrival : node {
        explicit arrival(loop_turn& t) : node(&arrive), owner(t) {}
        loop_turn& owner;
    };
    static void arrive(node& n) {
        loop_turn& mine = static_cast<arrival&>(n).owner;
        mine.arrived_ = true;
        asyncio::wake(*mine.task_);
    }
    static void called(waiter& w) {
        auto& mine = static_cast<loop_turn&>(w);
        if (mine.loop_ == asyncio::running_loop)
            arrive(mine.arrival_);
        else
            mine.loop_->post(mine.arrival_);
    }
    std::string describe() const override { return "an item of another loop"; }
    bool cancel(asyncio::task_state& t, std::string_view message) override {
        if (!withdraw_(line_, *this)) return false;
        asyncio::interrupt(t, message);
        asyncio::wake(t);
        return true;
    }

    void* line_;
    withdrawal withdraw_;
    asyncio::loop* loop_ = nullptr;
    asyncio::task_state* task_ = nullptr;
    arrival arrival_;
    bool suspended_ = false;
    bool arrived_ = false;
};

class loop_semaphore {
  public:
    static constexpr discipline order = discipline::fifo;

    explicit loop_semaphore(std::size_t count) : permits_(count) {}

    class permit_wait {
      public:
        explicit permit_wait(permits& from) : from_(from), mine_(&from, &withdraw) {}
        bool await_ready() { return from_.try_take(); }
        bool await_suspend(std::coroutine_handle<> h) {
            mine_.begin();
            if (from_.take_or_wait(mine_)) return false;
            mine_.suspend(h);
            return true;
        }
        permit await_resume() {
            mine_.settle();
            return permit(from_);
        }

      private:
        static bool withdraw(void* from, loop_turn& mine) {
            return static_cast<permits*>(from)->withdraw(mine);
        }

        permits& from_;
        loop_turn mine_;
    };

    looped::in_contract<permit_wait> acquire(looped::verbs& ctx) {
        check(ctx.stop());
        return looped::in_contract<permit_wait>(permits_);
    }

  private:
    permits permits_;
};

template <class T>
class loop_channel {
    using ring = elements<T, loop_turn>;
    using turn = typename ring::turn;

  public:
    static constexpr discipline order = discipline::fifo;

    loop_channel(arena& memory, std::size_t capacity) : elements_(memory, capacity) {}

    class push_wait {
      public:
        push_wait(ring& into, const T& value) : into_(into), mine_(&into, &withdraw) { mine_.value = value; }
        bool await_ready() {
            how_ = into_.try_push(*mine_.value);
            return how_ != passed::waits;
        }
        bool await_suspend(std::coroutine_handle<> h) {
            mine_.begin();
            how_ = into_.push_or_wait(mine_);
            if (how_ != passed::waits) return false;
            mine_.suspend(h);
            return true;
        }
        bool await_resume() {
            mine_.settle();
            return how_ == passed::waits ? !mine_.value : how_ == passed::yes;
        }

      private:
        static bool withdraw(void* into, loop_turn& mine) {
            return static_cast<ring*>(into)->withdraw_producer(static_cast<turn&>(mine));
        }

        ring& into_;
        turn mine_;
        passed how_ = passed::waits;
    };

    class pop_wait {
      public:
        explicit pop_wait(ring& from) : from_(from), mine_(&from, &withdraw) {}
        bool await_ready() { return from_.try_pop(mine_.value) != passed::waits; }
        bool await_suspend(std::coroutine_handle<> h) {
            mine_.begin();
            if (from_.pop_or_wait(mine_) != passed::waits) return false;
            mine_.suspend(h);
            return true;
        }
        std::optional<T> await_resume() {
            mine_.settle();
            return mine_.value;
        }

      private:
        static bool withdraw(void* from, loop_turn& mine) {
            return static_cast<ring*>(from)->withdraw_consumer(static_cast<turn&>(mine));
        }

        ring& from_;
        turn mine_;
    };

    looped::in_contract<push_wait> push(looped::verbs& ctx, T value) {
        check(ctx.stop());
        return looped::in_contract<push_wait>(elements_, value);
    }

    looped::in_contract<pop_wait> pop(looped::verbs& ctx) {
        check(ctx.stop());
        return looped::in_contract<pop_wait>(elements_);
    }

    void close() { elements_.close(); }

  private:
    ring elements_;
};

}  // namespace crossover::cross_thread
