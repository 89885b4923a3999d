// Forks while there is room, waits for one process to end, and so on: in the zygote for the outermost batch,
// in the process of an item for its nested ones. waitid is all the synchronisation there is.
#include "runtimes/processes/forked.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>

#include "runtimes/processes/interruption.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover::processes {

namespace {

// After a death the others are told to stop. What does not look is killed after this.
constexpr auto grace = std::chrono::seconds(1);
constexpr std::size_t frame_bytes = std::size_t{256} << 10;

struct word {
    char text[256];  // empty: all is well
};

sigset_t deaths() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    return set;
}

}  // namespace

blocking::ready<> forked_context::run(std::size_t n, job<forked_context> item_job, const void* batch,
                                      policy rules) {
    blocking::check(stop());
    batch_state state(rules, stop());
    forked_batch nested{&state, n, item_job, batch, false, root_};
    by_.run(nested, own());
    state.finish();
    return {};
}

// --- Forking ---

void forker::run(const forked_batch& batch, blocking::parker& own) {
    children alive;
    std::size_t most = std::min(batch.state->rules().in_flight, slots_.size());
    std::size_t next = 0;
    for (;;) {
        while (next < batch.count && alive.size() < most && !batch.state->stopped()) {
            auto place = slots_.take();
            if (place && start(batch, next, *place, alive)) {
                ++next;
                continue;
            }
            if (place) {
                const int error = errno;
                slots_.give_back(*place);
                note_refusal(batch, next, error);
            } else if (alive.empty()) {
                run_item(batch, next++, own);
            } else {
                break;  // the end of one of them makes room
            }
        }
        if (alive.empty()) return;
        reap_one(batch, alive);
    }
}

bool forker::start(const forked_batch& batch, std::size_t item, std::size_t place, children& alive) {
    process_slot& s = slots_[place];
    s.by = this;
    s.batch = &batch;
    s.item = item;
    s.ended.store(false);
    pid_t process = start_process(stacks_[place], begin, &s);
    if (process < 0) return false;
    s.process.store(process);
    alive.push_back({process, place});
    return true;
}

void forker::begin(void* at) {
    process_slot& s = *static_cast<process_slot*>(at);
    s.by->run_item(*s.batch, s.item, s.parker);
    s.ended.store(true);
}

void forker::run_item(const forked_batch& batch, std::size_t item, blocking::parker& own) {
    forked_context ctx(*this, own, batch.state->stop(), batch.outermost ? item : batch.root);
    if (run_noted(*batch.state, item, [&] { batch.call(ctx, batch.items, item).finish(); }))
        slots_.wake_all();
}

void forker::reap_one(const forked_batch& batch, children& alive) {
    int status = 0;
    rusage used{};
    pid_t dead = batch.outermost ? await_end(alive, status, used) : ::wait4(-1, &status, 0, &used);
    if (dead < 0) return;
    // What a process has used contains what those have used that it has reaped itself.
    if (batch.outermost) shared_.of_items += usage_of(used);
    auto it = std::find_if(alive.begin(), alive.end(), [&](const child& c) { return c.process == dead; });
    if (it == alive.end()) return;  // an orphan: its parent's death has been noted
    std::size_t place = it->process_slot;
    *it = alive.back();
    alive.pop_back();
    process_slot& s = slots_[place];
    s.process.store(0);
    if (!s.ended.load()) note_death(batch, s.item, status);
    slots_.give_back(place);
}

// In the zygote. Waits for SIGCHLD, not in wait4: the death of a process further down is told by a signal.
pid_t forker::await_end(const children& alive, int& status, rusage& used) {
    const sigset_t set = deaths();
    time_point kill_at = never;
    for (;;) {
        pid_t dead = ::wait4(-1, &status, WNOHANG, &used);
        if (dead != 0) return dead;
        if (!shared_.now->lost.raised()) {
            ::sigwaitinfo(&set, nullptr);
            continue;
        }
        time_point now = std::chrono::steady_clock::now();
        if (kill_at == never) kill_at = now + grace;
        slots_.interrupt_all();
        if (now >= kill_at)
            for (const child& c : alive) ::kill(c.process, SIGKILL);
        timespec a_while{0, 10'000'000};
        ::sigtimedwait(&set, nullptr, &a_while);
    }
}

void forker::note_death(const forked_batch& batch, std::size_t item, int status) {
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    std::size_t root = batch.outermost ? item : batch.root;
    std::string text = "the process of item " + std::to_string(root) + " left with status " +
                       std::to_string(WEXITSTATUS(status));
    lose(batch, item, ended::badly, text, signal);
}

// The others are stopped, too: they may wait for this one.
void forker::note_refusal(const forked_batch& batch, std::size_t item, int error) {
    try {
        refuse_worker(error, "fork of an item");
    } catch (const refused& e) {
        lose(batch, item, ended::refused, e.what(), 0);
    }
}

// Ends the outermost batch, whatever its stop rule.
void forker::lose(const forked_batch& batch, std::size_t item, ended how, std::string_view text, int signal) {
    shared_.now->state.note(how, batch.outermost ? item : batch.root, text, signal);
    shared_.now->state.raise();
    shared_.now->lost.raise();
    if (!batch.outermost) {
        batch.state->note(how, item, text, signal);
        batch.state->raise();
        ::kill(shared_.zygote, SIGCHLD);
    }
    slots_.wake_all();
}

// --- The zygote ---

void forker::serve(int socket) {
    word w{};
    prepare().copy(w.text, sizeof w.text - 1);
    if (!send(socket, &w, sizeof w) || w.text[0] != '\0') return;
    blocking::parker none(futex_scope::shared);
    while (receive(socket, &w, sizeof w, true) > 0) {
        run(shared_.batch, none);
        // Those whose parent died were killed with it; their slots are free when they are gone.
        if (shared_.now->lost.raised())
            while (::wait4(-1, nullptr, 0, nullptr) > 0) {
            }
        slots_.reset();
        shared_.of_zygote = own_usage();
        if (!send(socket, &w, sizeof w)) return;
    }
}

// Returns what was refused.
std::string forker::prepare() {
    const sigset_t set = deaths();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    shared_.zygote = ::getpid();
    allow_interruption();
    // All processes must know each other's eventfds, or none could end another's wait for a socket.
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    try {
        for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].parker.open_event();
    } catch (const std::exception& e) {
        return e.what();
    }
    return {};
}

// --- The caller ---

forked_items::forked_items(const char* who, arena& memory, std::size_t guaranteed_concurrency)
    : who_(who), memory_(memory), at_once_(guaranteed_concurrency), mark_(memory.used()) {
    try {
        shared_ = memory.make<pool_shared>();
        for (stack& s : stacks_) s = stack::in(memory, stack_bytes, frame_bytes);
        open();
    } catch (...) {
        memory.release(mark_);
        throw;
    }
    end_ = memory.used();
}

forked_items::~forked_items() {
    zygote_.reset();
    if (memory_.used() == end_) memory_.release(mark_);
}

void forked_items::open() {
    // Not destroyed here: the eventfds of the parkers are the zygote's.
    slots_ = memory_.make<process_slots>(at_once_);
    forker_ = std::make_unique<forker>(*shared_, *slots_, stacks_);
    zygote_ = std::make_unique<zygote>(
        who_, [](int socket, void* by) { static_cast<forker*>(by)->serve(socket); }, forker_.get());
    word w{};
    int got = receive(zygote_->socket(), &w, sizeof w, true);
    if (got > 0 && w.text[0] == '\0') return;
    zygote_.reset();
    throw refused(std::string(who_) + ": " + (got > 0 ? w.text : "its zygote was killed"));
}

void forked_items::run(std::size_t n, job<forked_context> item_job, const void* batch, policy rules) {
    if (n == 0) return;
    if (!zygote_) open();
    shared_->now.emplace(rules);
    shared_->batch = {&shared_->now->state, n, item_job, batch, true, 0};
    word w{};
    if (!send(zygote_->socket(), &w, sizeof w) || receive(zygote_->socket(), &w, sizeof w, true) < 0)
        reap_all();
    shared_->now->state.finish();
}

// The zygote was killed, and all others with it.
void forked_items::reap_all() {
    zygote_.reset();
    for (std::size_t i = 0; i < at_once_; ++i)
        if (pid_t p = (*slots_)[i].process.load(); p > 0) await_death(p);
    throw refused(std::string(who_) + ": the process that forks for it was killed: run again");
}

usage forked_items::used() const {
    usage sum = shared_->of_items;
    sum += shared_->of_zygote;
    return sum;
}

}  // namespace crossover::processes
