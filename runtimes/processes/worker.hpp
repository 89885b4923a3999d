// A worker of a process pool: takes items of the running batch, and helps with nested batches of others.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtimes/batch.hpp"
#include "runtimes/blocking/channel.hpp"
#include "runtimes/blocking/parker.hpp"
#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/processes/invitations.hpp"
#include "runtimes/processes/share.hpp"
#include "runtimes/processes/worker_set.hpp"
#include "runtimes/runtime.hpp"

namespace crossover::processes {

class worker;

// What items of a process pool are called with.
class context : public blocking::verbs {
  public:
    context(worker& on, const stop_state* stop);

    template <class T>
    using channel = blocking::channel<T>;

    // The worker runs items of the nested batch, and invites others to do so too.
    blocking::ready<> run(std::size_t n, job<context> each, const void* batch, policy rules);

  private:
    worker& on_;
};

// A nested batch. Lies on the stack of the item that runs it: its owner leaves only when no thief is inside
// any more.
struct group {
    group(const policy& rules, const stop_state* outer, std::size_t n, job<context> each, const void* batch,
          std::size_t owner, std::size_t root)
        : state(rules, outer), count(n), call(each), items(batch), owner_id(owner), root_item(root) {}

    batch_state state;
    const std::size_t count;
    const job<context> call;
    const void* const items;
    const std::size_t owner_id;
    const std::size_t root_item;       // the item of the outermost batch that this is part of
    std::atomic<std::size_t> next{0};  // index of the next item that nobody has claimed
    worker_set thieves;                // those inside
    std::atomic<std::uint32_t> left{
        0};  // thieves that have gone again; the top bit: the owner sleeps until they have
};

// What others need to see of a worker.
struct desk {
    // Where the worker itself sleeps, when it waits neither in a verb nor for its item.
    alignas(64) std::atomic<std::uint32_t> signal{0};
    worker_set followers;  // workers that wait for this one, to be woken when it has something to do for them

    alignas(64) invitations invited;
    alignas(64) share items;  // of the running batch

    // For the case of its death.
    alignas(64) std::atomic<std::size_t> item{0};  // the item of the outermost batch that it works for
    std::atomic<bool> asleep{true};  // at rest: it holds nothing, and whoever replaces it can go on
    std::atomic<const group*> touching{nullptr};  // the group that it is entering or leaving

    usage used;  // up to its last rest
    blocking::parker parker;

    // For the successor of a dead worker.
    void clear() {
        followers.reset();
        invited.clear();
        items.set({0, 0});
        asleep.store(true);
        touching.store(nullptr);
        used = {};
    }
};

// What the workers and their parent share.
struct floor {
    std::size_t workers = 0;
    desk* desks = nullptr;
    int completion = -1;            // eventfd, written when all rest
    std::uint64_t patience_ns = 0;  // how long a worker that finds nothing looks on before it rests

    // The running batch. Written by the parent while all rest.
    job<context> call = nullptr;
    const void* items = nullptr;
    std::size_t base = 0;          // index of the first item that is being shared out
    std::size_t participants = 0;  // the first so many workers take items of it
    batch_state* state = nullptr;
    stop_state* lost = nullptr;  // raised when a worker has died: then nobody starts or steals anything

    alignas(64) worker_set resting;    // those without work. Whoever takes a member out must wake it.
    alignas(64) worker_set searching;  // those that look for work
    alignas(64) worker_set dead;

    void wake(std::size_t id);
    // Ends the waits of all that work, so that they see a stop.
    void wake_working();
    bool all_rest(std::uint64_t resting_now) const {
        return (resting_now | dead.bits()) == worker_set::first(workers);
    }
};

class worker {
  public:
    worker(floor& on, std::size_t id) : floor_(on), desk_(on.desks[id]), id_(id) {}

    // Works and rests for ever.
    [[noreturn]] void serve();

    void run_nested(std::size_t n, job<context> each, const void* batch, const policy& rules,
                    const stop_state* outer);

    blocking::parker& parker() { return desk_.parker; }

  private:
    void await_work();
    void work();
    bool find_work();
    void run_item(std::size_t index);
    bool steal_items();
    bool steal_invitation();
    template <class Wanted>
    bool help_if_invited(std::size_t victim, Wanted wanted);
    bool work_in_sight() const;
    void rest();

    void run_items_of(group& g);
    void help(group& g);
    void await_thieves(group& g, std::size_t stolen);
    bool help_a_thief_of(group& g);
    void sleep_until_thieves_move(group& g, std::size_t stolen);
    void invite_resting(std::size_t how_many);

    floor& floor_;
    desk& desk_;
    const std::size_t id_;
};

}  // namespace crossover::processes
