// The workers' ways: run, steal, help, lie down.
#include "runtimes/pool/stealing_pool.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include "runtimes/errors.hpp"
#include "runtimes/limits.hpp"

namespace crossover::pool {

namespace {

// How many deques a worker looks into before it lies down: about 30 µs, what lying down and being woken
// costs.
constexpr std::size_t looks_before_sleep = 2'000;
constexpr std::size_t looks_before_park = 2'000;

void pause_for_a_moment() { __builtin_ia32_pause(); }

void refuse_too_many(std::size_t n) {
    if (n > shared_batch::most_items)
        throw refused("a batch of " + std::to_string(n) + " items: a pool of threads takes at most " +
                      std::to_string(shared_batch::most_items));
}

}  // namespace

blocking::ready<> context::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    blocking::check(stop());
    on_.run_nested(n, each, batch, rules, stop());
    return {};
}

// --- One worker ---

// Runs the first unit of the task after leaving the rest to thieves. Gives how many units it has run: more
// than one when the deque was full.
std::uint32_t worker::run_task(task t) {
    while (t.last - t.first > 1) {
        std::uint32_t middle = t.first + (t.last - t.first) / 2;
        if (!tasks.push(task{t.batch, middle, t.last})) break;
        pool_.idle_.summon(t.last - middle);
        t.batch->offer_to_owner();
        t.last = middle;
    }
    context ctx(*this, own, t.batch->state.stop());
    for (std::uint32_t unit = t.first; unit < t.last; ++unit)
        if (t.batch->run_unit(ctx, unit)) pool_.wake_blocked();
    return t.last - t.first;
}

// Runs a task and what it has pushed from `base` on, as far as it was not stolen.
std::uint32_t worker::run_own(task first, task_deque::position base) {
    std::uint32_t done = run_task(first);
    while (std::optional<task> next = tasks.pop(base)) done += run_task(*next);
    return done;
}

void worker::run_nested(std::size_t n, job<context> each, const void* data, const policy& rules,
                        const stop_state* outer) {
    refuse_too_many(n);
    shared_batch batch(n, each, data, rules, outer, pool_.size());
    if (n > 0) {
        std::uint32_t done = run_own(task{&batch, 0, batch.units()}, tasks.end());
        if (!batch.all_done_by_owner(done) && !batch.leave_as_owner(done)) await_thieves(batch);
    }
    batch.state.finish();
}

void worker::run_stolen(const task& t) {
    std::size_t level = depth_.load(std::memory_order_relaxed);
    task_deque::position base = tasks.end();
    thefts_[level].base.store(base, std::memory_order_relaxed);
    thefts_[level].from.store(t.batch, std::memory_order_seq_cst);
    depth_.store(level + 1, std::memory_order_seq_cst);
    std::uint32_t done = run_own(t, base);
    depth_.store(level, std::memory_order_seq_cst);
    thefts_[level].from.store(nullptr, std::memory_order_seq_cst);
    t.batch->leave(done);
}

std::optional<task> worker::steal_back(const shared_batch& batch) {
    std::size_t depth = depth_.load(std::memory_order_seq_cst);
    for (std::size_t level = 0; level < depth; ++level) {
        const theft& mine = thefts_[level];
        if (mine.from.load(std::memory_order_seq_cst) != &batch) continue;
        auto still_running = [&] { return mine.from.load(std::memory_order_seq_cst) == &batch; };
        if (auto found = tasks.steal(mine.base.load(std::memory_order_relaxed), still_running)) return found;
    }
    return std::nullopt;
}

// Runs something that `batch` waits for; false when there is nothing.
bool worker::help(shared_batch& batch) {
    if (depth_.load(std::memory_order_relaxed) == most_thefts) return false;
    for (const auto& other : pool_.workers_) {
        if (other.get() == this) continue;
        if (auto found = other->steal_back(batch)) {
            run_stolen(*found);
            return true;
        }
    }
    return false;
}

// Waits for the parts of the own batch that were stolen, and helps with them: with nothing else, because any
// other item may need what the items below on this stack hold.
void worker::await_thieves(shared_batch& batch) {
    std::size_t looks = 0;
    while (!batch.ended()) {
        if (help(batch)) {
            looks = 0;
        } else if ((looks += pool_.size()) < looks_before_park) {
            pause_for_a_moment();
        } else {
            bool helped = false;
            batch.park([&] { return helped = help(batch); });
            if (helped) looks = 0;
        }
    }
}

// Looks once into every deque.
std::optional<task> worker::find() {
    random_ = random_ * 1664525U + 1013904223U;
    std::size_t n = pool_.workers_.size();
    std::size_t start = (random_ >> 8) % n;
    if (auto found = pool_.entrance_.steal()) return found;
    for (std::size_t k = 0; k < n; ++k) {
        worker& other = *pool_.workers_[start + k < n ? start + k : start + k - n];
        if (auto found = other.tasks.steal()) return found;
    }
    return std::nullopt;
}

// Finds a task, however long it takes; none when the pool closes.
std::optional<task> worker::search() {
    idle_workers& idle = pool_.idle_;
    for (;;) {
        for (std::size_t looks = 0; looks < looks_before_sleep; looks += pool_.workers_.size() + 1) {
            if (auto found = find()) return found;
            if (idle.searching() > pool_.may_spin_) break;
            pause_for_a_moment();
        }
        idle.lie_down();
        auto found = find();
        if (found || pool_.closing_.load(std::memory_order_seq_cst)) {
            idle.get_up();
            return found;
        }
        idle.await_call();
    }
}

void worker::work() {
    while (auto found = search()) {
        pool_.idle_.found();
        run_stolen(*found);
        pool_.idle_.start_search();
    }
}

// --- The pool ---

stealing_pool::stealing_pool(std::size_t workers)
    : may_spin_(std::max(1U, std::thread::hardware_concurrency())) {
    for (std::size_t id = 0; id < workers; ++id)
        workers_.push_back(std::make_unique<worker>(*this, static_cast<std::uint32_t>(id)));
    try {
        for (auto& each : workers_) {
            idle_.start_search();
            threads_.emplace_back(&worker::work, each.get());
        }
    } catch (const std::system_error& e) {
        stop_threads();
        refuse_worker(e.code().value(), "starting a thread of the pool");
    }
}

stealing_pool::~stealing_pool() { stop_threads(); }

void stealing_pool::stop_threads() {
    closing_.store(true, std::memory_order_seq_cst);
    idle_.summon(static_cast<std::uint32_t>(2 * workers_.size()));
    for (auto& thread : threads_) thread.join();
}

// After a batch was stopped. Whoever is not blocked, or blocked for another batch, only looks up.
void stealing_pool::wake_blocked() {
    for (auto& each : workers_) each->own.wake();
}

void stealing_pool::run(std::size_t n, job<context> each, const void* data, const policy& rules) {
    refuse_too_many(n);
    shared_batch batch(n, each, data, rules, nullptr, size());
    if (n > 0) {
        entrance_.push(task{&batch, 0, batch.units()});
        idle_.summon(batch.units());
        batch.await_end();
    }
    batch.state.finish();
}

}  // namespace crossover::pool
