// Hands batches to the workers, waits for them and for deaths at once, and replaces the dead.
#include "runtimes/processes/pool.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "runtimes/limits.hpp"
#include "runtimes/processes/interruption.hpp"
#include "runtimes/processes/kernel_usage.hpp"

namespace crossover::processes {

namespace {

// After a death the others are told to stop. What computes on or waits for the dead without looking is killed
// after this.
constexpr auto grace = std::chrono::seconds(1);
constexpr std::size_t frame_bytes = std::size_t{4} << 20;

[[noreturn]] void work_at(void* floor_of_pool, std::size_t id) {
    allow_interruption();
    worker(*static_cast<floor*>(floor_of_pool), id).serve();
}

int open_eventfd(const char* who) {
    int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd >= 0) return fd;
    refuse_if_out_of_descriptors(errno, who);
    throw std::system_error(errno, std::generic_category(), "eventfd");
}

}  // namespace

// The state of the running batch, in the arena.
struct pool::running {
    explicit running(const policy& rules) : state(rules, &lost) {}
    stop_state lost{stop_state::by_signal{}};  // around the batch: a worker has died, whatever the stop rule
    batch_state state;
};

pool::pool(const char* who, arena& memory, std::size_t workers, std::chrono::nanoseconds patience)
    : who_(who), memory_(memory), mark_(memory.used()), ids_(workers, -1) {
    if (workers > most_workers)
        throw refused(std::string(who) + " holds at most " + std::to_string(most_workers) + " workers, not " +
                      std::to_string(workers) + ": choose fewer cores");
    floor_ = memory.make<floor>();
    running_ = memory.make<running>(policy{});
    floor_->patience_ns = static_cast<std::uint64_t>(patience.count());
    floor_->state = &running_->state;
    floor_->lost = &running_->lost;
    floor_->desks = static_cast<desk*>(memory.allocate(workers * sizeof(desk), alignof(desk)));
    std::uninitialized_default_construct_n(floor_->desks, workers);
    floor_->workers = workers;
    try {
        for (std::size_t i = 0; i < workers; ++i)
            stacks_.push_back(stack::in(memory, stack_bytes, frame_bytes));
        floor_->completion = open_eventfd(who);
        for (desk& d : std::span(floor_->desks, workers)) d.parker.open_event();
        open();
    } catch (...) {
        nursery_.reset();
        release();
        memory.release(mark_);
        throw;
    }
    end_ = memory.used();
}

pool::~pool() {
    nursery_.reset();
    release();
    if (memory_.used() == end_) memory_.release(mark_);
}

void pool::release() {
    if (floor_->completion >= 0) ::close(floor_->completion);
    std::destroy_n(floor_->desks, floor_->workers);
}

void pool::open() {
    floor_->dead.reset(worker_set::first(floor_->workers));
    nursery_ = std::make_unique<nursery>(who_, stacks_, work_at, floor_);
    recover();
    staff();
    note_present();
}

// Waits until every worker is there. Throws `refused` when one cannot be started.
void pool::staff() {
    while (awaited_ != 0) {
        auto r = nursery_->next(true);
        if (!r) {
            bury_all();
            throw refused(std::string(who_) + ": the process that forks its workers was killed: run again");
        }
        hear(*r);
    }
    if (refusal_ != 0) refuse_worker(std::exchange(refusal_, 0), who_);
}

void pool::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    if (n == 0) return;
    if (!nursery_)
        open();
    else if (std::find(ids_.begin(), ids_.end(), -1) != ids_.end()) {
        recover();
        staff();
    }
    std::destroy_at(running_);
    std::construct_at(running_, rules);
    floor_->call = each;
    floor_->items = batch;
    in_batch_ = true;
    for (std::size_t base = 0; base < n && !running_->state.stopped(); base += share::limit) {
        share_out(base, std::min(n - base, share::limit), rules.in_flight);
        await_rest();
    }
    in_batch_ = false;
    lost_since_ = never;
    if (floor_->dead.any() && nursery_) replace_the_dead();
    note_present();
    running_->state.finish();
}

void pool::share_out(std::size_t base, std::size_t n, std::size_t most) {
    std::size_t participants = std::min({n, most, floor_->workers});
    floor_->base = base;
    floor_->participants = participants;
    for (std::size_t i = 0; i < participants; ++i)
        floor_->desks[i].items.set({static_cast<std::uint32_t>(n * i / participants),
                                    static_cast<std::uint32_t>(n * (i + 1) / participants)});
    for (std::size_t i = 0; i < participants; ++i) {
        floor_->desks[i].item.store(base + n * i / participants, std::memory_order_relaxed);
        if (floor_->resting.clear(i) & worker_set::only(i)) floor_->wake(i);
    }
}

void pool::await_rest() {
    while (!floor_->all_rest(floor_->resting.bits())) {
        bool lost = lost_since_ != never;
        std::array<pollfd, 2> watched{{{floor_->completion, POLLIN, 0}, {nursery_->descriptor(), POLLIN, 0}}};
        ::poll(watched.data(), watched.size(), lost ? 10 : -1);
        if (watched[0].revents) {
            std::uint64_t count = 0;
            [[maybe_unused]] auto emptied = ::read(floor_->completion, &count, sizeof count);
        }
        if (watched[1].revents) listen();
        if (lost) interrupt_working();
        if (lost && nursery_ && std::chrono::steady_clock::now() - lost_since_ > grace) kill_working();
    }
}

void pool::listen() {
    while (auto r = nursery_->next(false)) hear(*r);
    if (nursery_->lost()) bury_all();
}

void pool::hear(const nursery::report& r) {
    switch (r.what) {
        case nursery::news::started:
            awaited_ &= ~worker_set::only(r.id);
            ids_[r.id] = r.process;
            return;
        case nursery::news::refused:
            awaited_ &= ~worker_set::only(r.id);
            if (!in_batch_)
                refusal_ = r.status;
            else
                try {
                    refuse_worker(r.status, who_);
                } catch (const refused& e) {
                    fail(r.id, floor_->desks[r.id].item.load(), e.what(), 0);
                }
            return;
        case nursery::news::died:
            break;
    }
    desk& d = floor_->desks[r.id];
    ids_[r.id] = -1;
    add(of_the_dead_, r.used);
    d.used = {};
    // One that rests holds nothing: another takes its place at once, and with it the work it may have been
    // called to.
    if (lost_since_ == never && (floor_->resting.has(r.id) || d.asleep.load())) return start(r.id);
    std::string text = "the worker left with status " + std::to_string(WEXITSTATUS(r.status)) + " at item " +
                       std::to_string(d.item.load());
    fail(r.id, d.item.load(), text, WIFSIGNALED(r.status) ? WTERMSIG(r.status) : 0);
}

// Worker `id` is gone while it had work. The first such error counts: what follows may be its consequence.
void pool::fail(std::size_t id, std::size_t item, std::string_view what, int signal) {
    floor_->dead.set(id);
    if (lost_since_ == never) {
        lost_since_ = std::chrono::steady_clock::now();
        running_->state.note(ended::badly, item, what, signal);
        running_->state.raise();
        running_->lost.raise();
    }
    floor_->wake_working();
    for_each(working(), [this](std::size_t i) { floor_->wake(i); });
    interrupt_working();
}

// The zygote was killed, and the workers with it.
void pool::bury_all() {
    nursery_.reset();
    awaited_ = 0;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (ids_[i] >= 0) await_death(ids_[i]);
        ids_[i] = -1;
        if (in_batch_) fail(i, floor_->desks[i].item.load(), "", SIGKILL);
    }
}

void pool::kill_working() {
    for_each(working(), [this](std::size_t i) { nursery_->kill(i); });
}

void pool::interrupt_working() {
    for_each(working(), [this](std::size_t i) { interrupt(ids_[i]); });
}

std::uint64_t pool::working() const {
    return ~(floor_->resting.bits() | floor_->dead.bits()) & worker_set::first(floor_->workers);
}

// Before run() returns, so that the next batch is not measured with the start of workers in it.
void pool::replace_the_dead() {
    recover();
    try {
        staff();
    } catch (const refused&) {
        // The batch's own error is what matters now; the next run tries again, and says so.
    }
}

void pool::note_present() {
    present_.clear();
    std::copy_if(ids_.begin(), ids_.end(), std::back_inserter(present_), [](int id) { return id > 0; });
}

// Starts those that are missing, at empty desks. All others rest.
void pool::recover() {
    for (desk& d : std::span(floor_->desks, floor_->workers)) d.followers.reset();
    floor_->searching.reset();
    for (std::size_t id = 0; id < ids_.size(); ++id) {
        if (ids_[id] >= 0 || (awaited_ & worker_set::only(id))) continue;
        floor_->desks[id].clear();
        floor_->resting.set(id);
        floor_->dead.clear(id);
        start(id);
    }
}

void pool::start(std::size_t id) {
    awaited_ |= worker_set::only(id);
    nursery_->start(id);
}

usage pool::used() const {
    usage sum = of_the_dead_;
    for (const desk& d : std::span(floor_->desks, floor_->workers)) add(sum, d.used);
    return sum;
}

}  // namespace crossover::processes
