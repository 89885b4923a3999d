// Picks parents first, then other fibers in FIFO order. Polls the kernel when idle, and regularly when busy.
#include "runtimes/fibers/scheduler.hpp"

#include <algorithm>
#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/operations.hpp>

namespace crossover::fiber {

using boost::fibers::context;

class scheduler::algorithm : public boost::fibers::algo::algorithm {
  public:
    explicit algorithm(scheduler& owner) : owner_(owner) {}

    void awakened(context* fiber) noexcept override {
        if (fiber->is_context(boost::fibers::type::dispatcher_context))
            dispatcher_ = fiber;
        else if (std::exchange(owner_.parent_first_, false))
            parents_.push_front(*fiber);
        else
            fiber->ready_link(owner_.ready_);
    }

    context* pick_next() noexcept override {
        // Boost calls suspend_until only when nothing is ready, so busy fibers would starve those that wait
        // in the kernel. Only the dispatcher may poll here: a fiber that is just suspending must not be made
        // ready before it is off its stack.
        bool posted = owner_.posted_.load(std::memory_order_relaxed) != nullptr;
        bool look = (++picks_ >= picks_per_poll && owner_.waits_ != 0) || posted;
        if (!dispatcher_) {
            if (look) owner_.poll(time_point::min());
            picks_ = look ? 0 : picks_;
        } else if (look || owner_.ended_ >= most_ended || none_ready()) {
            owner_.ended_ = 0;
            return std::exchange(dispatcher_, nullptr);
        }
        if (none_ready()) return nullptr;
        queue& from = next_queue();
        context* first = &from.front();
        from.pop_front();
        return first;
    }

    bool has_ready_fibers() const noexcept override { return dispatcher_ || !none_ready(); }

    void suspend_until(time_point const& latest) noexcept override { owner_.poll(latest); }

    void notify() noexcept override { owner_.reactor_.notify(); }

  private:
    using queue = boost::fibers::scheduler::ready_queue_type;

    static constexpr unsigned picks_per_poll = 64;
    // The dispatcher frees the stacks of ended fibers. Going there after each cost a fifth of fib(25) in
    // switches, and seldom cost as much in stacks that had left the cache.
    static constexpr unsigned most_ended = 4;
    static constexpr unsigned most_parents_first = 64;

    bool none_ready() const { return parents_.empty() && in_turn_.empty() && owner_.ready_.empty(); }

    // With something ready. After so many parents all that are in the queue have a turn, and then the parents
    // go on where they were: putting a parent into the queue instead made a tree so broad that fib(30) had
    // 270,000 fibers alive.
    queue& next_queue() {
        if (!in_turn_.empty()) return in_turn_;
        if (parents_.empty()) return owner_.ready_;
        if (++parents_first_ % most_parents_first != 0 || owner_.ready_.empty()) return parents_;
        in_turn_.swap(owner_.ready_);
        return in_turn_;
    }

    scheduler& owner_;
    context* dispatcher_ = nullptr;  // Boost's own fiber of this thread, when it is ready
    queue parents_;  // that have just started a child, the latest first: trees run depth first
    queue in_turn_;
    unsigned picks_ = 0;
    unsigned parents_first_ = 0;
};

scheduler::scheduler(std::atomic<int>* sleepers) : sleepers_(sleepers) {
    boost::fibers::use_scheduling_algorithm<algorithm>(*this);
}

scheduler::~scheduler() { boost::fibers::use_scheduling_algorithm<boost::fibers::algo::round_robin>(); }

void scheduler::yield() { boost::this_fiber::yield(); }

void scheduler::poll(time_point latest) {
    if (!timers_.empty()) latest = std::min(latest, timers_.earliest());
    std::chrono::nanoseconds time(-1);
    if (latest != never) {
        time_point now = std::chrono::steady_clock::now();
        time = latest > now ? latest - now : std::chrono::nanoseconds(0);
    }
    node_list ready;
    const bool sleeps = time.count() != 0;
    if (sleeps) note_sleep(true);
    // Without a descriptor the kernel has nothing to tell: fibers that sleep need not ask at every look.
    if (sleeps || reactor_.attached() != 0) reactor_.poll(time, ready);
    if (sleeps) note_sleep(false);
    if (!timers_.empty()) timers_.expire(std::chrono::steady_clock::now(), ready);
    while (!ready.empty()) {
        node& n = ready.pop_front();
        n.run(n);
    }
    if (posted_.load(std::memory_order_relaxed)) take_posted();
}

void scheduler::note_sleep(bool begins) noexcept {
    if (!sleepers_) return;
    asleep_.store(begins, std::memory_order_seq_cst);
    sleepers_->fetch_add(begins ? 1 : -1, std::memory_order_seq_cst);
}

void scheduler::post(node& n) noexcept {
    n.next = posted_.load(std::memory_order_relaxed);
    while (!posted_.compare_exchange_weak(n.next, &n, std::memory_order_release, std::memory_order_relaxed)) {
    }
    reactor_.notify();
}

void scheduler::take_posted() noexcept {
    node_list in_order;
    for (node* n = posted_.exchange(nullptr, std::memory_order_acquire); n;) {
        node& latest = *n;
        n = n->next;
        in_order.push_front(latest);
    }
    while (!in_order.empty()) {
        node& n = in_order.pop_front();
        n.run(n);
    }
}

void scheduler::wake_stopped() {
    for (waiting* w = newest_stoppable_; w; w = w->older_)
        if (w->stop_->raised()) w->wake();
}

void waiting::wake() {
    if (woken_) return;
    woken_ = true;
    // Not by way of Boost's scheduler, which would look for it among its own sleepers first.
    if (fiber_) fiber_->ready_link(on_.ready_);
}

bool waiting::suspend(const stop_state* stop, time_point latest) {
    if (woken_) return true;
    struct late : node {
        late(waiting& w) : node([](node& n) { static_cast<late&>(n).owner.wake(); }), owner(w) {}
        waiting& owner;
    } when_late(*this);
    if (latest != never) on_.timers_.insert(when_late, latest);
    if (stop) {
        stop_ = stop;
        older_ = on_.newest_stoppable_;
        if (older_) older_->newer_ = this;
        on_.newest_stoppable_ = this;
    }
    ++on_.waits_;
    fiber_ = context::active();
    fiber_->suspend();
    fiber_ = nullptr;
    --on_.waits_;
    if (stop) {
        (newer_ ? newer_->older_ : on_.newest_stoppable_) = older_;
        if (older_) older_->newer_ = newer_;
    }
    if (latest == never) return true;
    if (!asyncio::timer_heap::armed(when_late)) return false;
    on_.timers_.remove(when_late);
    return true;
}

}  // namespace crossover::fiber
