// How a worker finds work, and how it waits for those who help it.
//
// Nobody waits for a lock, and a waiting worker runs nothing but what it waits for: it steals only from
// thieves of its own batch (leapfrogging), or it might run an item that needs what the waiting one holds.
// That what it steals there is part of its own batch follows from two rules: a worker steals only while its
// own deque is empty (a thief takes the oldest invitation, so when one of the innermost batch was stolen
// nothing older is left), and it looks whether the thief is still inside its batch after it has read the
// invitation and before it takes it.
#include "runtimes/processes/worker.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "runtimes/processes/kernel_usage.hpp"

namespace crossover::processes {

namespace {

constexpr std::uint32_t owner_sleeps = std::uint32_t{1} << 31;

void sleep_on(const std::atomic<std::uint32_t>& word, std::uint32_t seen) {
    ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, nullptr, nullptr, 0);
}

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// How long a worker goes on looking before it sleeps.
class patience {
  public:
    explicit patience(std::uint64_t ns) : time_(ns) {}
    bool over() {
        relax();
        return std::chrono::steady_clock::now() - start_ >= time_;
    }
    void renew() { start_ = std::chrono::steady_clock::now(); }

  private:
    std::chrono::nanoseconds time_;
    time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

context::context(worker& on, const stop_state* stop) : verbs(on.parker(), stop), on_(on) {}

blocking::ready<> context::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    blocking::check(stop());
    on_.run_nested(n, each, batch, rules, stop());
    return {};
}

void floor::wake(std::size_t id) {
    desks[id].signal.fetch_add(1, std::memory_order_seq_cst);
    blocking::wake_one(desks[id].signal);
}

void floor::wake_working() {
    for_each(worker_set::first(workers) & ~resting.bits(), [this](std::size_t i) { desks[i].parker.wake(); });
}

// --- The outermost batch ---

void worker::serve() {
    for (;;) {
        await_work();
        desk_.asleep.store(false, std::memory_order_seq_cst);
        work();
        rest();
    }
}

void worker::await_work() {
    for (;;) {
        std::uint32_t seen = desk_.signal.load(std::memory_order_seq_cst);
        if (!floor_.resting.has(id_)) return;
        sleep_on(desk_.signal, seen);
    }
}

void worker::work() {
    patience left(floor_.patience_ns);
    bool searching = false;
    for (;;) {
        if (find_work()) {
            if (searching) floor_.searching.clear(id_);
            searching = false;
            continue;
        }
        if (!searching) {
            left.renew();
            floor_.searching.set(id_);
            searching = true;
        }
        // When nobody has work, nobody will give any.
        if (floor_.all_rest(floor_.resting.bits() | floor_.searching.bits()) || left.over()) break;
    }
    floor_.searching.clear(id_);
}

bool worker::find_work() {
    if (id_ < floor_.participants) {
        auto note = [this](std::uint32_t i) { desk_.item.store(floor_.base + i, std::memory_order_relaxed); };
        bool found = false;
        while (!floor_.state->stopped()) {
            auto index = desk_.items.take(note);
            if (!index) break;
            run_item(floor_.base + *index);
            found = true;
        }
        if (found || steal_items()) return true;
    }
    return steal_invitation();
}

void worker::run_item(std::size_t index) {
    context ctx(*this, floor_.state->stop());
    if (run_noted(*floor_.state, index, [&] { floor_.call(ctx, floor_.items, index).finish(); }))
        floor_.wake_working();
}

bool worker::steal_items() {
    if (floor_.state->stopped()) return false;
    for (std::size_t i = 1; i < floor_.participants; ++i) {
        std::size_t victim = (id_ + i) % floor_.participants;
        if (auto stolen = floor_.desks[victim].items.steal()) {
            desk_.items.set(*stolen);
            return true;
        }
    }
    return false;
}

bool worker::steal_invitation() {
    for (std::size_t i = 1; i < floor_.workers; ++i) {
        std::size_t victim = (id_ + i) % floor_.workers;
        if (help_if_invited(victim, [] { return true; })) return true;
    }
    return false;
}

// Helps with the oldest invitation of another worker if `wanted()` once that is known.
template <class Wanted>
bool worker::help_if_invited(std::size_t victim, Wanted wanted) {
    if (floor_.desks[victim].invited.empty()) return false;
    group* g = floor_.desks[victim].invited.steal([&](const group& oldest) {
        desk_.touching.store(&oldest, std::memory_order_seq_cst);
        return !floor_.lost->raised() && wanted();
    });
    if (g)
        help(*g);
    else
        desk_.touching.store(nullptr, std::memory_order_seq_cst);
    return g != nullptr;
}

bool worker::work_in_sight() const {
    if (floor_.lost->raised()) return false;
    bool takes_items = id_ < floor_.participants && !floor_.state->stopped();
    for (std::size_t i = 0; i < floor_.workers; ++i) {
        if (!floor_.desks[i].invited.empty()) return true;
        if (takes_items && i < floor_.participants && !floor_.desks[i].items.now().empty()) return true;
    }
    return false;
}

void worker::rest() {
    desk_.used = own_usage();
    desk_.asleep.store(true, std::memory_order_seq_cst);
    floor_.resting.set(id_);
    auto batch_has_ended = [this](std::uint64_t resting) { return floor_.all_rest(resting); };
    // Once all rest the batch belongs to the parent again: nobody may look at it.
    if (batch_has_ended(floor_.resting.bits())) {
        std::uint64_t one = 1;
        [[maybe_unused]] auto written = ::write(floor_.completion, &one, sizeof one);
        return;
    }
    // Who adds work looks for resting workers after it; who rests looks for work after it: one of both sees
    // the other.
    if (work_in_sight()) floor_.resting.clear_unless(id_, batch_has_ended);
}

// --- Nested batches ---

void worker::run_nested(std::size_t n, job<context> each, const void* batch, const policy& rules,
                        const stop_state* outer) {
    if (n == 0) return;
    group g(rules, outer, n, each, batch, id_, desk_.item.load(std::memory_order_relaxed));
    std::size_t helpers = std::min({n, rules.in_flight, floor_.workers}) - 1;
    std::size_t invited = helpers == 0 ? 0 : desk_.invited.add(g, helpers);
    if (invited != 0) invite_resting(invited);
    run_items_of(g);
    if (invited != 0)
        if (std::size_t stolen = desk_.invited.retract(invited); stolen != 0) await_thieves(g, stolen);
    g.state.finish();
}

void worker::run_items_of(group& g) {
    context ctx(*this, g.state.stop());
    while (!g.state.stopped()) {
        std::size_t index = g.next.fetch_add(1, std::memory_order_relaxed);
        if (index >= g.count) return;
        if (run_noted(g.state, index, [&] { g.call(ctx, g.items, index).finish(); })) floor_.wake_working();
        if (index + 1 == g.count) return;
    }
}

void worker::invite_resting(std::size_t how_many) {
    // The invitations were added with a full fence before.
    while (desk_.followers.any())
        if (auto id = desk_.followers.take()) floor_.wake(*id);
    for (; how_many != 0 && floor_.resting.any(); --how_many)
        if (auto id = floor_.resting.take()) floor_.wake(*id);
}

// On entry desk_.touching is the group: from before the theft on, so that a death in between is seen.
void worker::help(group& g) {
    std::size_t before = desk_.item.exchange(g.root_item, std::memory_order_relaxed);
    g.thieves.set(id_);
    desk_.touching.store(nullptr, std::memory_order_seq_cst);
    run_items_of(g);
    desk_.touching.store(&g, std::memory_order_seq_cst);
    g.thieves.clear(id_);
    std::size_t owner = g.owner_id;
    bool waited_for = (g.left.fetch_add(1, std::memory_order_seq_cst) & owner_sleeps) != 0;
    // From here on the group may be gone.
    desk_.touching.store(nullptr, std::memory_order_seq_cst);
    if (waited_for) floor_.wake(owner);
    desk_.item.store(before, std::memory_order_relaxed);
}

void worker::await_thieves(group& g, std::size_t stolen) {
    patience left(floor_.patience_ns);
    while ((g.left.load(std::memory_order_seq_cst) & ~owner_sleeps) != stolen) {
        if (help_a_thief_of(g)) {
            left.renew();
            continue;
        }
        if (left.over()) sleep_until_thieves_move(g, stolen);
    }
}

bool worker::help_a_thief_of(group& g) {
    if (floor_.lost->raised()) {
        // A thief that died never leaves. What hangs below it may still use the stack of this worker, so it
        // cannot go on either: it takes itself out, and is replaced with the dead one. The parent has the
        // first death in its books already.
        bool one_is_dead = (g.thieves.bits() & floor_.dead.bits()) != 0;
        for_each(floor_.dead.bits(), [&](std::size_t i) {
            if (floor_.desks[i].touching.load(std::memory_order_seq_cst) == &g) one_is_dead = true;
        });
        if (one_is_dead) ::_exit(0);
        return false;
    }
    std::uint64_t thieves = g.thieves.bits();
    for (; thieves != 0; thieves &= thieves - 1) {
        auto thief = static_cast<std::size_t>(std::countr_zero(thieves));
        if (help_if_invited(thief, [&] { return g.thieves.has(thief); })) return true;
    }
    return false;
}

void worker::sleep_until_thieves_move(group& g, std::size_t stolen) {
    std::uint32_t seen = desk_.signal.load(std::memory_order_seq_cst);
    std::uint32_t left = g.left.fetch_or(owner_sleeps, std::memory_order_seq_cst) & ~owner_sleeps;
    std::uint64_t thieves = g.thieves.bits();
    bool move = left == stolen;
    for_each(thieves, [&](std::size_t i) {
        floor_.desks[i].followers.set(id_);
        if (!floor_.desks[i].invited.empty()) move = true;
    });
    // A death raises `lost` and then changes the signal: see help_a_thief_of().
    if (!move) sleep_on(desk_.signal, seen);
    for_each(thieves, [&](std::size_t i) { floor_.desks[i].followers.clear(id_); });
    g.left.fetch_and(~owner_sleeps, std::memory_order_seq_cst);
}

}  // namespace crossover::processes
