// The parent of the workers: waits for the end of a batch and for deaths at the same time, and replaces dead
// workers.
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
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "runtimes/processes/interruption.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover::processes {

namespace {

// After a death the others are told to stop. What computes on or waits for the dead without looking is killed
// after this.
constexpr auto grace = std::chrono::seconds(1);
constexpr std::size_t frame_bytes = std::size_t{4} << 20;

int open_eventfd(const char* who) {
    int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd >= 0) return fd;
    refuse_if_out_of_descriptors(errno, who);
    throw std::system_error(errno, std::generic_category(), "eventfd");
}

}  // namespace

pool::pool(const char* who, arena& memory, std::size_t workers, std::chrono::nanoseconds look)
    : who_(who), memory_(memory), mark_(memory.used()), members_(workers) {
    using crossover::pool::atomic_bitset;
    if (workers > atomic_bitset::capacity)
        throw refused(std::string(who) + " holds at most " + std::to_string(atomic_bitset::capacity) +
                      " workers, not " + std::to_string(workers) + ": choose fewer cores");
    auto* first = static_cast<slot*>(memory.allocate(workers * sizeof(slot), alignof(slot)));
    std::uninitialized_default_construct_n(first, workers);
    slots_ = {first, workers};
    used_ = memory.make_array<usage>(workers);
    all_ = memory.make<scheduler>(*this, first, workers, look);
    state_ = memory.make<batch_state>(policy{}, &all_->lost);
    try {
        for (std::size_t i = 0; i < workers; ++i)
            stacks_.push_back(stack::in(memory, stack_bytes, frame_bytes));
        completion_ = open_eventfd(who);
        for (slot& s : slots_) s.parker.open_event();
        crossover::pool::asymmetric_fence<scope>::join();
        open();
    } catch (...) {
        supervisor_.reset();
        release();
        memory.release(mark_);
        throw;
    }
    end_ = memory.used();
}

pool::~pool() {
    supervisor_.reset();
    release();
    if (memory_.used() == end_) memory_.release(mark_);
}

void pool::release() {
    if (completion_ >= 0) ::close(completion_);
    std::destroy(slots_.begin(), slots_.end());
}

void pool::open() {
    supervisor_ = std::make_unique<process_supervisor>(who_, stacks_, work_at, all_);
    recover();
    await_workers();
    note_present();
}

// --- In a worker ---

void pool::work_at(void* shared, std::size_t id) {
    allow_interruption();
    crossover::pool::asymmetric_fence<scope>::join();
    crossover::pool::worker<scope>(*static_cast<scheduler*>(shared), id).serve();
    ::_exit(0);
}

void pool::part_done(std::size_t id) { used_[id] = own_usage(); }

void pool::batch_ended() {
    const std::uint64_t one = 1;
    [[maybe_unused]] auto written = ::write(completion_, &one, sizeof one);
}

// --- In the parent ---

// Waits until every worker is there. Throws `refused` when one cannot be started.
void pool::await_workers() {
    while (std::any_of(members_.begin(), members_.end(), [](const member& m) { return m.ordered; })) {
        auto r = supervisor_->next(true);
        if (!r) {
            reap_all();
            if (refusal_ != 0) break;
            throw refused(std::string(who_) + ": the process that forks its workers was killed: run again");
        }
        handle(*r);
    }
    if (refusal_ != 0) refuse_worker(std::exchange(refusal_, 0), who_);
}

void pool::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    using crossover::pool::share;
    if (n == 0) return;
    if (!supervisor_) {
        open();
    } else if (std::any_of(members_.begin(), members_.end(), [](const member& m) { return m.process < 0; })) {
        recover();
        await_workers();
    }
    std::destroy_at(state_);
    std::construct_at(state_, rules, &all_->lost);
    in_batch_ = true;
    for (std::size_t base = 0; base < n && !state_->stopped(); base += share::limit) {
        all_->share_out(*state_, item_job, batch, base, std::min(n - base, share::limit));
        await_end();
    }
    in_batch_ = false;
    if (lost()) all_->undivided.drop();
    if (lost() && supervisor_) replace_the_dead();
    lost_since_ = never;
    note_present();
    state_->finish();
}

// In a batch that has lost a worker nobody may still be at work: an item that waits for the dead one's would
// wait forever.
bool pool::ended() const {
    if (!lost()) return all_->left.load(std::memory_order_seq_cst) == 0;
    bool none = true;
    for_working([&](std::size_t) { none = false; });
    return none;
}

template <class Visit>
void pool::for_working(Visit visit) const {
    for (std::size_t i = 0; i < slots_.size(); ++i)
        if (!slots_[i].rests.load() && !slots_[i].dead.load()) visit(i);
}

void pool::await_end() {
    while (!ended()) {
        const bool was_lost = lost();
        std::array<pollfd, 2> watched{{{completion_, POLLIN, 0}, {supervisor_->descriptor(), POLLIN, 0}}};
        ::poll(watched.data(), watched.size(), was_lost ? 10 : -1);
        if (watched[0].revents) {
            std::uint64_t count = 0;
            [[maybe_unused]] auto emptied = ::read(completion_, &count, sizeof count);
        }
        if (watched[1].revents) listen();
        if (!was_lost) continue;
        for_working([this](std::size_t i) { interrupt(members_[i].process); });
        if (supervisor_ && std::chrono::steady_clock::now() - lost_since_ > grace)
            for_working([this](std::size_t i) { supervisor_->kill(i); });
    }
}

void pool::listen() {
    while (auto r = supervisor_->next(false)) handle(*r);
    if (supervisor_->lost()) reap_all();
}

void pool::handle(const process_supervisor::report& r) {
    member& m = members_[r.id];
    switch (r.what) {
        case process_supervisor::news::started:
            m = {r.process, false};
            return;
        case process_supervisor::news::refused:
            m.ordered = false;
            if (!in_batch_)
                refusal_ = r.status;
            else
                try {
                    refuse_worker(r.status, who_);
                } catch (const refused& e) {
                    fail(r.id, slots_[r.id].item.load(), e.what(), 0);
                }
            return;
        case process_supervisor::news::died:
            m.process = -1;
            of_the_dead_ += r.used;
            used_[r.id] = {};
            return note_death(r.id, r.status);
    }
}

// One that holds nothing is no loss: another takes its place at once, and with it the work that it may have
// been called to.
void pool::note_death(std::size_t id, int status) {
    slot& s = slots_[id];
    const bool loses_items = s.holds_items_of(all_->number) && all_->left.load() != 0;
    if (!in_batch_ || (!lost() && !loses_items)) {
        s.items.clear();
        return start(id);
    }
    const std::size_t item = s.item.load();
    const std::string text = "the worker left with status " + std::to_string(WEXITSTATUS(status)) +
                             " at item " + std::to_string(item);
    fail(id, item, text, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

// Worker `id` is gone while it had work. The first such error counts: what follows may be its consequence.
void pool::fail(std::size_t id, std::size_t item, std::string_view what, int signal) {
    slots_[id].dead.store(true);
    if (!lost()) {
        lost_since_ = std::chrono::steady_clock::now();
        state_->note(ended::badly, item, what, signal);
        state_->raise();
        all_->lost.raise();
    }
    all_->wake_working();
    for_working([this](std::size_t i) {
        all_->wake(i);
        interrupt(members_[i].process);
    });
}

// The zygote was killed, and the workers with it.
void pool::reap_all() {
    supervisor_.reset();
    for (std::size_t i = 0; i < members_.size(); ++i) {
        if (members_[i].process >= 0) await_death(members_[i].process);
        members_[i] = {};
        if (in_batch_) fail(i, slots_[i].item.load(), "", SIGKILL);
    }
}

// Before run() returns, so that the next batch is not measured with the start of workers in it.
void pool::replace_the_dead() {
    recover();
    try {
        await_workers();
    } catch (const refused&) {
        // The batch's own error is what matters now; the next run tries again, and says so.
    }
}

void pool::note_present() {
    present_.clear();
    for (const member& m : members_)
        if (m.process > 0) present_.push_back(m.process);
}

// Starts those that are missing, at empty slots. All others rest, or look around once more before they do:
// what the dead leave must be gone before `lost` is lowered, or one of these helps a batch that no longer is.
void pool::recover() {
    const auto missing = [](const member& m) { return m.process < 0 && !m.ordered; };
    for (std::size_t id = 0; id < members_.size(); ++id)
        if (missing(members_[id])) slots_[id].clear();
    if (all_->lost.raised()) all_->lost.lower();
    for (std::size_t id = 0; id < members_.size(); ++id)
        if (missing(members_[id])) start(id);
}

void pool::start(std::size_t id) {
    members_[id].ordered = true;
    supervisor_->start(id);
}

usage pool::used() const {
    usage sum = of_the_dead_;
    for (const usage& u : used_) sum += u;
    return sum;
}

}  // namespace crossover::processes
