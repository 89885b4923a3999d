// notice: tells an owner that a task or future has ended, one iteration later, as asyncio's done callbacks
// do.
#pragma once

#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

// Allocated by attach(), frees itself once it has told. The owner may go first, if it drops the notices that
// have not told it yet.
class notice : completion, node {
  public:
    // `ended` is pending if it was a future that will never end because its last reference went.
    using function = void (*)(void* owner, notice& self, outcome& ended);

    static notice* attach(outcome& o, function f, void* owner) {
        auto* const n = ::new (frame_pool::allocate(sizeof(notice))) notice(o, f, owner);
        if (o.done())
            n->queue();
        else
            subscribe(o, *n);
        return n;
    }

    // The owner will not be told.
    void drop() noexcept {
        if (queued_) {
            tell_ = nullptr;
        } else {
            unsubscribe(target_, *this);
            free();
        }
    }

    // For a loop that closes: whether the node is a notice whose turn would have come.
    static bool queued_as(const node& n) noexcept { return n.run == &on_turn; }

    std::size_t place = 0;  // for the owner's use

  private:
    notice(outcome& o, function f, void* owner) noexcept
        : completion(&on_done), node(&on_turn), target_(o), tell_(f), owner_(owner) {}

    void queue() {
        queued_ = true;
        ++target_.refs;
        target_.owner->make_ready(*this);
    }
    void free() noexcept {
        this->~notice();
        frame_pool::release(this, sizeof(notice));
    }

    static void on_done(completion& c, outcome& o) {
        auto& self = static_cast<notice&>(c);
        if (o.done() && !o.owner->is_closed()) return self.queue();
        // There will be no next iteration.
        self.tell_(self.owner_, self, o);
        self.free();
    }
    static void on_turn(node& n) {
        auto& self = static_cast<notice&>(n);
        outcome& o = self.target_;
        if (self.tell_) self.tell_(self.owner_, self, o);
        self.free();
        release(o);
    }

    outcome& target_;
    function tell_;
    void* owner_;
    bool queued_ = false;
};

}  // namespace crossover::asyncio
