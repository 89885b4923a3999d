// Distributes items, stores their results, and replaces workers that die.
#include "runtimes/processes/pipes/pool.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

#include "runtimes/processes/interruption.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover::pipes {

namespace {

// After a death the others are told to stop. One that computes without looking is killed after this.
constexpr auto grace = std::chrono::seconds(1);
constexpr auto tell_again_after = std::chrono::milliseconds(10);
constexpr std::size_t frame_bytes = std::size_t{4} << 20;

timespec time_to(time_point t) {
    const auto left = std::max((t - std::chrono::steady_clock::now()).count(), std::int64_t{0});
    return {left / 1'000'000'000, left % 1'000'000'000};
}

void empty(int socket) {
    std::array<std::byte, 4096> bytes;
    while (::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
    }
}

}  // namespace

struct pool::running {
    running(std::size_t n, job<context> item_job, const void* batch, const policy& rules,
            const extents& parts)
        : count(n),
          to_workers{item_job, batch, rules.deadline, parts.inputs.size(), parts.outputs.size()},
          of_batch(parts),
          state(rules, &lost) {}

    std::size_t count;
    batch_order to_workers;
    const extents& of_batch;
    std::size_t next = 0;
    time_point lost_since = never;
    stop_state lost;  // around the batch: a worker has died, whatever the stop rule
    batch_state state;
};

pool::pool(const char* who, arena& memory, std::size_t workers)
    : who_(who), memory_(memory), mark_(memory.used()) {
    try {
        for (std::size_t i = 0; i < workers; ++i)
            stacks_.push_back(processes::stack::in(memory, stack_bytes, frame_bytes));
        end_ = memory.used();
        open_lines(workers);
        open();
    } catch (...) {
        supervisor_.reset();
        close_lines();
        memory.release(mark_);
        throw;
    }
}

pool::~pool() {
    supervisor_.reset();
    close_lines();
    if (memory_.used() == end_) memory_.release(mark_);
}

// Before the zygote is forked, so that workers which replace others find the lines, too.
void pool::open_lines(std::size_t workers) {
    for (std::size_t i = 0; i < workers; ++i) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            refuse_if_out_of_descriptors(errno, who_);
            throw std::system_error(errno, std::generic_category(), "socketpair");
        }
        partners_.emplace_back(ends[0], ends[1]);
    }
}

void pool::close_lines() {
    for (const partner& p : partners_) {
        ::close(p.own_end);
        ::close(p.worker_end);
    }
}

// In the worker, whose copy of the pool is from before the fork of the zygote.
void pool::work_at(void* pool_before_the_fork, std::size_t id) {
    pool& copy = *static_cast<pool*>(pool_before_the_fork);
    copy.memory_.part_from(copy.end_);
    const int own = std::exchange(copy.partners_[id].worker_end, -1);
    copy.close_lines();
    worker(own).serve();
}

void pool::open() {
    supervisor_ = std::make_unique<processes::process_supervisor>(who_, stacks_, work_at, this);
    replace_the_missing();
}

// Throws `refused` when one cannot be started.
void pool::replace_the_missing() {
    for (std::size_t id = 0; id < partners_.size(); ++id)
        if (partners_[id].process < 0 && !partners_[id].awaited) start(id);
    await_workers();
    note_present();
}

void pool::start(std::size_t id) {
    partner& p = partners_[id];
    empty(p.own_end);
    empty(p.worker_end);
    p.over.reset();
    p.knows_batch = false;
    p.awaited = true;
    supervisor_->start(id);
}

// Waits until every worker is there.
void pool::await_workers() {
    while (std::ranges::any_of(partners_, &partner::awaited)) {
        const auto r = supervisor_->next(true);
        if (!r) {
            reap_all();
            if (refusal_ != 0) break;
            throw refused(std::string(who_) + ": the process that forks its workers was killed: run again");
        }
        handle(*r);
    }
    if (refusal_ != 0) refuse_worker(std::exchange(refusal_, 0), who_);
}

// --- A batch ---

void pool::run(std::size_t n, job<context> item_job, const void* batch, policy rules,
               const extents& of_batch) {
    if (n == 0) return;
    if (!supervisor_)
        open();
    else if (present_.size() < size())
        replace_the_missing();
    running now(n, item_job, batch, rules, of_batch);
    running_ = &now;
    for (partner& p : partners_) p.knows_batch = false;
    hand_out();
    while (busy_ > 0) {
        await();
        hand_out();
    }
    running_ = nullptr;
    note_present();
    // At once, so that the next batch is not measured with the start of workers in it.
    if (supervisor_ && present_.size() < size()) {
        try {
            replace_the_missing();
        } catch (const refused&) {
            // The batch's own error is what matters now; the next run tries again, and says so.
        }
    }
    now.state.finish();
}

// One item to each worker that has none.
void pool::hand_out() {
    running& now = *running_;
    const std::size_t most = std::min({size(), now.count, now.state.rules().in_flight});
    for (partner& p : std::span(partners_).first(most)) {
        if (now.next == now.count || now.state.stopped()) return;
        if (!p.busy && (p.process > 0 || p.awaited)) give(p, now.next++);
    }
}

void pool::give(partner& p, std::size_t item) {
    const running& now = *running_;
    p.over.begin();
    p.over.add_object(order{p.knows_batch ? order::kind::item : order::kind::first_item, item});
    if (!p.knows_batch) {
        p.over.add_object(now.to_workers);
        p.over.add(std::as_bytes(now.of_batch.inputs));
        p.over.add(std::as_bytes(now.of_batch.outputs));
        for (const extent& e : now.of_batch.inputs)
            if (e.stride == 0) p.over.add(e.of(0));
    }
    for (const extent& e : now.of_batch.inputs)
        if (e.stride != 0) p.over.add(e.of(item));
    p.knows_batch = true;
    p.item = item;
    send(p);
}

void pool::send(partner& p) {
    p.busy = true;
    ++busy_;
    p.over.send(false);  // the rest of it when there is room: see await()
}

void pool::release(partner& p) {
    p.busy = false;
    --busy_;
}

// Until a worker answers or dies, or the batch is over.
void pool::await() {
    const bool stopping = running_ && running_->state.stopped();
    if (stopping) stop_busy();
    time_point latest = never;
    if (stopping)
        latest = std::chrono::steady_clock::now() + tell_again_after;
    else if (running_)
        latest = running_->state.rules().deadline;
    const timespec left = latest == never ? timespec{} : time_to(latest);

    watched_.clear();
    for (const partner& p : partners_)
        watched_.push_back({p.busy ? p.own_end : -1,
                            static_cast<short>(p.over.unsent() > 0 ? POLLIN | POLLOUT : POLLIN), 0});
    watched_.push_back({supervisor_->descriptor(), POLLIN, 0});
    if (::ppoll(watched_.data(), watched_.size(), latest == never ? nullptr : &left, nullptr) <= 0) return;
    for (std::size_t id = 0; id < size(); ++id)
        if (watched_[id].revents != 0) collect(partners_[id]);
    if (watched_.back().revents != 0) listen();
}

void pool::collect(partner& p) {
    if (p.over.unsent() > 0) p.over.flush(false);
    if (p.over.receive(false) != line::state::complete) return;
    release(p);
    p.given_again = false;
    if (!running_) {
        p.used = p.over.take<usage>();
        return;
    }
    const auto how_it_ended = p.over.take<answer>();
    std::string_view text;
    if (how_it_ended.how == ended::well)
        for (const extent& e : running_->of_batch.outputs) p.over.take(e.of(p.item));
    else
        text = {reinterpret_cast<const char*>(p.over.rest().data()), p.over.rest().size()};
    running_->state.note(how_it_ended.how, p.item, text, how_it_ended.signal);
}

void pool::stop_busy() {
    const bool enough =
        running_->lost_since != never && std::chrono::steady_clock::now() - running_->lost_since > grace;
    for (std::size_t id = 0; id < size(); ++id) {
        if (!partners_[id].busy) continue;
        processes::interrupt(partners_[id].process);
        if (enough) supervisor_->kill(id);
    }
}

// --- Starts and deaths ---

void pool::listen() {
    while (const auto r = supervisor_->next(false)) handle(*r);
    if (supervisor_->lost()) reap_all();
}

void pool::handle(const processes::process_supervisor::report& r) {
    partner& p = partners_[r.id];
    switch (r.what) {
        case processes::process_supervisor::news::started:
            p.awaited = false;
            p.process = r.process;
            return;
        case processes::process_supervisor::news::refused:
            p.awaited = false;
            if (!running_)
                refusal_ = r.status;
            else if (p.busy)
                try {
                    refuse_worker(r.status, who_);
                } catch (const refused& e) {
                    lose(p, ended::refused, e.what());
                }
            return;
        case processes::process_supervisor::news::died:
            of_the_dead_ += r.used;
            reap(r.id, r.status);
    }
}

void pool::reap(std::size_t id, int status) {
    partner& p = partners_[id];
    p.process = -1;
    p.used = {};
    if (p.busy) collect(p);  // what it has sent before
    if (!running_) {
        if (p.busy) release(p);
        return;
    }
    running& now = *running_;
    if (now.lost_since != never) {
        if (p.busy) release(p);
    } else if (!p.busy) {
        start(id);
    } else if (untouched(p) && !p.given_again) {
        release(p);
        start(id);
        p.given_again = true;
        if (!now.state.stopped()) give(p, p.item);
    } else {
        lose(p, ended::badly,
             "the worker left with status " + std::to_string(WEXITSTATUS(status)) + " at item " +
                 std::to_string(p.item),
             WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
}

// The worker is dead and has read nothing of its last order.
bool pool::untouched(const partner& p) {
    int unread = 0;
    ::ioctl(p.worker_end, FIONREAD, &unread);
    return static_cast<std::size_t>(unread) + p.over.unsent() == p.over.bytes_of_last_sent();
}

// The item cannot end. The first such error counts: what follows may be its consequence.
void pool::lose(partner& p, ended how, std::string_view text, int signal) {
    release(p);
    running& now = *running_;
    if (now.lost_since != never) return;
    now.lost_since = std::chrono::steady_clock::now();
    now.state.note(how, p.item, text, signal);
    now.state.raise();
    now.lost.raise();
}

// The zygote was killed, and the workers with it.
void pool::reap_all() {
    supervisor_.reset();
    for (partner& p : partners_) {
        if (p.process > 0) processes::await_death(p.process);
        of_the_dead_ += std::exchange(p.used, {});
        p.process = -1;
        p.awaited = false;
        if (p.busy) collect(p);
        if (!p.busy) continue;
        if (running_)
            lose(p, ended::badly, "", SIGKILL);
        else
            release(p);
    }
}

void pool::note_present() {
    present_.clear();
    for (const partner& p : partners_)
        if (p.process > 0) present_.push_back(p.process);
}

usage pool::used() {
    for (partner& p : partners_) {
        if (p.process < 0) continue;
        p.over.begin();
        p.over.add_object(order{order::kind::report, 0});
        send(p);
    }
    while (busy_ > 0) await();
    note_present();
    usage sum = of_the_dead_;
    for (const partner& p : partners_) sum += p.used;
    return sum;
}

}  // namespace crossover::pipes
