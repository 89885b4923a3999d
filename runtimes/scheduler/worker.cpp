// How a worker finds work, and how it waits for those who help it.
//
// Nobody waits for a lock, and a waiting worker runs nothing but what it waits for: it steals only from
// thieves of its own batch (leapfrogging), or it might run an item that needs what the waiting one holds.
// That what it steals there is part of its own batch follows from two rules: a worker steals only while its
// own deque is empty (a thief takes the oldest call for help, so when one of the innermost batch was stolen
// nothing older is left), and it looks whether the thief is still inside its batch after it has read the
// call for help and before it takes it.
//
// Whoever gives work looks afterwards whether somebody rests; who rests looks for work after having said so:
// one of both sees the other. The giver's fence is light, the sleeper's heavy. What is being stolen is in no
// share, so who rests meanwhile tells the thief, and the thief calls others when it has the items.
#include "runtimes/scheduler/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <span>

#include "runtimes/system/processor.hpp"

namespace crossover::pool {

namespace {

// How long a worker goes on looking before it sleeps.
class patience {
  public:
    explicit patience(std::chrono::nanoseconds time) : time_(time) {}
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

template <futex_scope Scope>
blocking::ready<> context<Scope>::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    blocking::check(stop());
    on_.run_nested(n, item_job, batch, rules, stop());
    return {};
}

// --- The scheduler ---

template <futex_scope Scope>
void scheduler<Scope>::share_out(batch_state& batch, job<context> item_job, const void* data,
                                 std::size_t first, std::size_t n) {
    state = &batch;
    call = item_job;
    items = data;
    base.store(first, std::memory_order_relaxed);
    count = n;
    number = number % share::batches + 1;
    in_lanes = batch.rules().in_flight < std::min(n, workers);
    next.store(0, std::memory_order_relaxed);
    const std::size_t units = in_lanes ? batch.rules().in_flight : n;
    left.store(units, std::memory_order_seq_cst);
    // To nobody: a worker that still looks around after the last batch would not expect anything in its own
    // share, and fill it with what it steals.
    undivided.set({0, static_cast<std::uint32_t>(units), number});
    for (std::size_t i = 0; i < std::min(units, workers); ++i) call_in(i);
}

template <futex_scope Scope>
bool scheduler<Scope>::has_items() const {
    if (!undivided.now().empty()) return true;
    return std::any_of(slots, slots + workers, [](const slot& s) { return !s.items.now().empty(); });
}

template <futex_scope Scope>
std::uint32_t scheduler<Scope>::thefts() const {
    return std::accumulate(slots, slots + workers, std::uint32_t{0},
                           [](std::uint32_t sum, const slot& s) { return sum + s.items.thefts(); });
}

template <futex_scope Scope>
bool scheduler<Scope>::overlook(std::uint32_t before) {
    for (slot& s : std::span(slots, workers))
        if (s.items.thefts() % 2 != 0) s.overlooked.store(true, std::memory_order_seq_cst);
    return thefts() == before;
}

template <futex_scope Scope>
bool scheduler<Scope>::call_in(std::size_t id) {
    if (!slots[id].rests.exchange(false, std::memory_order_seq_cst)) return false;
    resting.clear(id);
    wake(id);
    return true;
}

template <futex_scope Scope>
void scheduler<Scope>::call_resting(std::size_t how_many) {
    while (how_many != 0 && resting.any())
        if (auto id = resting.take(); id && call_in(*id)) --how_many;
}

template <futex_scope Scope>
void scheduler<Scope>::wake(std::size_t id) {
    slots[id].signal.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(slots[id].signal, 1, Scope);
}

template <futex_scope Scope>
void scheduler<Scope>::wake_working() {
    for (std::size_t i = 0; i < workers; ++i)
        if (!slots[i].rests.load(std::memory_order_seq_cst)) slots[i].parker.wake();
}

// --- The outermost batch ---

template <futex_scope Scope>
void worker<Scope>::serve() {
    own_.rests.store(false, std::memory_order_seq_cst);
    do search();
    while (rest());
}

template <futex_scope Scope>
void worker<Scope>::search() {
    patience left(all_.patience);
    for (;;) {
        if (in_sight()) {
            find_work();
            left.renew();
        } else if (all_.left.load(std::memory_order_seq_cst) == 0 || left.over()) {
            return;
        }
    }
}

template <futex_scope Scope>
bool worker<Scope>::in_sight() const {
    if (!all_.undivided.now().empty()) return true;  // also when a worker was lost: nobody else drops it
    if (all_.lost.raised()) return false;
    if (all_.has_items()) return true;
    for (std::size_t i = 1; i < all_.workers; ++i)
        if (!all_.slots[(id_ + i) % all_.workers].invited.empty()) return true;
    return false;
}

template <futex_scope Scope>
void worker<Scope>::find_work() {
    if (!steal_share()) steal_call();
}

// Claims and runs the own share until it is empty; false when thieves were faster.
template <futex_scope Scope>
bool worker<Scope>::run_share() {
    // Of a lane it notes no item yet.
    auto note = [this](std::uint32_t unit) {
        own_.item.store(all_.base.load(std::memory_order_relaxed) + unit, std::memory_order_relaxed);
    };
    std::size_t done = 0;
    while (auto unit = own_.items.take(note)) {
        ++done;
        if (all_.state->stopped())
            done += own_.items.drop();
        else
            run_unit(*unit);
    }
    if (done != 0) end_units(done);
    return done != 0;
}

template <futex_scope Scope>
void worker<Scope>::run_unit(std::size_t unit) {
    const std::size_t base = all_.base.load(std::memory_order_relaxed);
    if (!all_.in_lanes) return run_item(base + unit);
    std::size_t index = all_.next.load(std::memory_order_relaxed);
    while (index < all_.count && !all_.state->stopped()) {
        own_.item.store(base + index, std::memory_order_relaxed);  // before the claim
        if (!all_.next.compare_exchange_weak(index, index + 1, std::memory_order_relaxed)) continue;
        run_item(base + index);
        index = all_.next.load(std::memory_order_relaxed);
    }
}

template <futex_scope Scope>
void worker<Scope>::run_item(std::size_t index) {
    context<Scope> ctx(*this, own_.parker, all_.state->stop());
    if (run_noted(*all_.state, index, [&] { all_.call(ctx, all_.items, index).finish(); }))
        all_.wake_working();
}

// The batch may be gone afterwards.
template <futex_scope Scope>
void worker<Scope>::end_units(std::size_t count) {
    all_.how.part_done(id_);
    if (all_.left.fetch_sub(count, std::memory_order_seq_cst) == count) all_.how.batch_ended();
}

// Half of what another has left. When all start at once the shares spread as in a binary tree.
template <futex_scope Scope>
bool worker<Scope>::steal_share() {
    if (run_stolen(all_.undivided)) return true;
    for (std::size_t i = 0; i < all_.workers; ++i) {
        const std::size_t victim = (id_ / 2 + i) % all_.workers;
        if (victim != id_ && run_stolen(all_.slots[victim].items)) return true;
    }
    return false;
}

template <futex_scope Scope>
bool worker<Scope>::run_stolen(share& from) {
    const auto note = [this](std::uint32_t number) { own_.holding.store(number, std::memory_order_relaxed); };
    const std::uint32_t stolen = own_.items.steal_from(from, note);
    if (stolen != 0 && own_.overlooked.load(std::memory_order_seq_cst)) {
        own_.overlooked.store(false, std::memory_order_seq_cst);
        all_.call_resting(stolen - 1);
    }
    const bool ran = run_share();
    note(0);
    return ran;
}

// Not while there are items that nobody has begun: the batch was promised that as many are alive together as
// there are workers, and one that helps may sleep. Whoever sees a call for help sees the items, too.
template <futex_scope Scope>
bool worker<Scope>::steal_call() {
    const auto nothing_else = [this] { return !all_.has_items(); };
    for (std::size_t i = 1; i < all_.workers; ++i)
        if (help_if_invited((id_ + i) % all_.workers, nothing_else)) return true;
    return false;
}

// Helps with the oldest call for help of another worker if `wanted()` once that is known.
template <futex_scope Scope>
template <class Wanted>
bool worker<Scope>::help_if_invited(std::size_t victim, Wanted wanted) {
    if (own_.inside.full() || all_.slots[victim].invited.empty()) return false;
    batch* b = all_.slots[victim].invited.steal([&](const batch& oldest) {
        own_.touching.store(&oldest, std::memory_order_seq_cst);
        return !all_.lost.raised() && wanted();
    });
    if (b)
        help(*b);
    else
        own_.touching.store(nullptr, std::memory_order_seq_cst);
    return b != nullptr;
}

// Sleeps until called; false when the pool closes.
template <futex_scope Scope>
bool worker<Scope>::rest() {
    own_.rests.store(true, std::memory_order_seq_cst);
    all_.resting.set(id_);
    asymmetric_fence<Scope>::heavy();
    const std::uint32_t thefts = all_.thefts();
    if (in_sight() || !all_.overlook(thefts)) {
        if (own_.rests.exchange(false, std::memory_order_seq_cst)) all_.resting.clear(id_);
        return true;
    }
    if (all_.lost.raised()) all_.how.batch_ended();
    for (;;) {
        const std::uint32_t seen = own_.signal.load(std::memory_order_seq_cst);
        if (all_.closing.load(std::memory_order_seq_cst)) return false;
        if (!own_.rests.load(std::memory_order_seq_cst)) return true;
        futex_wait(own_.signal, seen, Scope);
    }
}

// --- Nested batches ---

template <futex_scope Scope>
void worker<Scope>::run_nested(std::size_t n, job<context<Scope>> item_job, const void* data,
                               const policy& rules, const stop_state* outer) {
    if (n == 0) return;
    batch b(rules, outer, n, item_job, data, id_, own_.item.load(std::memory_order_relaxed));
    const std::size_t helpers = std::min({n, rules.in_flight, all_.workers}) - 1;
    const std::size_t invited = helpers == 0 ? 0 : own_.invited.add(b, helpers);
    if (invited != 0) invite(invited);
    if (const std::size_t stolen = run_own(b, invited); stolen != 0) await_thieves(b, stolen);
    b.state.finish();
}

// Runs what thieves leave, and takes the calls for help back before the last item; gives how many were
// stolen.
template <futex_scope Scope>
std::size_t worker<Scope>::run_own(batch& b, std::size_t invited) {
    context<Scope> ctx(*this, own_.parker, b.state.stop());
    std::size_t index = 0;
    for (; index + 1 < b.count && !b.state.stopped() && b.left.take(index); ++index)
        run_item_of(b, ctx, index);
    const std::size_t last = b.count - 1;
    if (index == last) {
        const std::size_t stolen = invited == 0 ? 0 : own_.invited.retract(invited);
        if (!b.state.stopped() && (stolen == 0 || b.left.contested(last))) run_item_of(b, ctx, last);
        return stolen;
    }
    for (; index < b.count && !b.state.stopped() && b.left.contested(index); ++index)
        run_item_of(b, ctx, index);
    return invited == 0 ? 0 : own_.invited.retract(invited);
}

template <futex_scope Scope>
void worker<Scope>::run_item_of(batch& b, context<Scope>& ctx, std::size_t index) {
    if (run_noted(b.state, index, [&] { b.call(ctx, b.items, index).finish(); })) all_.wake_working();
}

// The calls for help were added with a light fence before.
template <futex_scope Scope>
void worker<Scope>::invite(std::size_t how_many) {
    if (own_.followed.load(std::memory_order_seq_cst)) {
        own_.followed.store(false, std::memory_order_seq_cst);
        for (std::size_t i = 0; i < all_.workers; ++i)
            if (all_.slots[i].awaits_thieves.load(std::memory_order_seq_cst)) all_.wake(i);
    }
    all_.call_resting(how_many);
}

// On entry own_.touching is the batch: from before the theft on, so that a death in between is seen.
template <futex_scope Scope>
void worker<Scope>::help(batch& b) {
    const std::size_t before = own_.item.exchange(b.root_item, std::memory_order_relaxed);
    own_.inside.enter(b);
    own_.touching.store(nullptr, std::memory_order_seq_cst);
    b.left.enter();
    {
        context<Scope> ctx(*this, own_.parker, b.state.stop());
        while (!b.state.stopped()) {
            auto index = b.left.steal();
            if (!index) break;
            run_item_of(b, ctx, *index);
        }
    }
    own_.touching.store(&b, std::memory_order_seq_cst);
    own_.inside.leave();
    all_.how.part_done(id_);
    const std::size_t owner = b.owner_id;
    const bool awaited = (b.gone.fetch_add(1, std::memory_order_seq_cst) & batch::owner_sleeps) != 0;
    // From here on the batch may be gone.
    own_.touching.store(nullptr, std::memory_order_seq_cst);
    if (awaited) all_.wake(owner);
    own_.item.store(before, std::memory_order_relaxed);
}

template <futex_scope Scope>
void worker<Scope>::await_thieves(batch& b, std::size_t stolen) {
    patience left(all_.patience);
    while ((b.gone.load(std::memory_order_seq_cst) & ~batch::owner_sleeps) != stolen) {
        if (help_a_thief_of(b))
            left.renew();
        else if (left.over())
            sleep_until_thieves_move(b, stolen);
    }
}

template <futex_scope Scope>
bool worker<Scope>::help_a_thief_of(batch& b) {
    if (all_.lost.raised()) {
        leave_if_a_thief_is_dead(b);
        return false;
    }
    for (std::size_t i = 1; i < all_.workers; ++i) {
        const std::size_t thief = (id_ + i) % all_.workers;
        const auto& inside = all_.slots[thief].inside;
        if (inside.has(b) && help_if_invited(thief, [&] { return inside.has(b); })) return true;
    }
    return false;
}

// A thief that died never leaves. What hangs below it may still use the stack of this worker, so it cannot go
// on either: it takes itself out, and is replaced with the dead one. The parent has the first death in its
// books already.
template <futex_scope Scope>
void worker<Scope>::leave_if_a_thief_is_dead(const batch& b) {
    for (std::size_t i = 0; i < all_.workers; ++i) {
        const auto& other = all_.slots[i];
        if (other.dead.load(std::memory_order_seq_cst) &&
            (other.inside.has(b) || other.touching.load(std::memory_order_seq_cst) == &b))
            ::_exit(0);
    }
}

template <futex_scope Scope>
void worker<Scope>::sleep_until_thieves_move(batch& b, std::size_t stolen) {
    const std::uint32_t seen = own_.signal.load(std::memory_order_seq_cst);
    own_.awaits_thieves.store(true, std::memory_order_seq_cst);
    std::size_t known =
        b.gone.fetch_or(batch::owner_sleeps, std::memory_order_seq_cst) & ~batch::owner_sleeps;
    bool move = known == stolen;
    for (std::size_t i = 0; i < all_.workers; ++i) {
        if (!all_.slots[i].inside.has(b)) continue;
        ++known;
        all_.slots[i].followed.store(true, std::memory_order_seq_cst);
    }
    asymmetric_fence<Scope>::heavy();
    for (std::size_t i = 0; i < all_.workers; ++i)
        if (all_.slots[i].inside.has(b) && !all_.slots[i].invited.empty()) move = true;
    // One that is entering or leaving is not known yet, or no more. A death raises `lost` and then changes
    // the signal: see help_a_thief_of().
    if (!move && known == stolen) futex_wait(own_.signal, seen, Scope);
    own_.awaits_thieves.store(false, std::memory_order_seq_cst);
    b.gone.fetch_and(~batch::owner_sleeps, std::memory_order_seq_cst);
}

template class context<futex_scope::in_process>;
template class context<futex_scope::shared>;
template struct scheduler<futex_scope::in_process>;
template struct scheduler<futex_scope::shared>;
template class worker<futex_scope::in_process>;
template class worker<futex_scope::shared>;

}  // namespace crossover::pool
