// Counts items in shared memory, and reads /proc/PID/fd.
#include "bench/cell/account.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <system_error>

namespace crossover::bench {

namespace {

open_objects open_in(const std::string& folder) {
    open_objects found;
    std::error_code gone;  // a descriptor or a worker may vanish while we look
    std::filesystem::directory_iterator at(folder, gone);
    while (at != std::filesystem::directory_iterator()) {
        std::string target = std::filesystem::read_symlink(at->path(), gone).string();
        if (target == "anon_inode:[eventpoll]") ++found.eventpolls;
        if (target == "anon_inode:[io_uring]") ++found.io_urings;
        at.increment(gone);
    }
    return found;
}

void raise_to(std::atomic<std::uint32_t>& most, std::uint32_t seen) {
    std::uint32_t there = most.load(std::memory_order_relaxed);
    while (there < seen && !most.compare_exchange_weak(there, seen, std::memory_order_relaxed)) {
    }
}

}  // namespace

ledger::ledger(arena& memory, std::size_t items)
    : runs_(memory.make_array<std::atomic<std::uint32_t>>(items)) {}

void ledger::id_set::add(std::uint32_t id) {
    for (std::size_t at = id % slots, tried = 0; tried < slots; at = (at + 1) % slots, ++tried) {
        std::uint32_t there = ids_[at].load(std::memory_order_relaxed);
        if (there == id) return;
        if (there == 0 && (ids_[at].compare_exchange_strong(there, id) || there == id)) return;
    }
}

std::uint64_t ledger::id_set::size() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(ids_, [](const auto& id) { return id.load() != 0; }));
}

void ledger::note_worker() {
    threads_.add(static_cast<std::uint32_t>(::syscall(SYS_gettid)));
    processes_.add(static_cast<std::uint32_t>(::getpid()));
}

void ledger::begin(std::size_t index) {
    if (index < runs_.size()) runs_[index].fetch_add(1, std::memory_order_relaxed);
    executions_.fetch_add(1, std::memory_order_relaxed);
    std::int64_t now = alive_.fetch_add(1, std::memory_order_relaxed) + 1;
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (peak < now && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
    note_worker();
}

// From inside, in the process that ran the item: a reactor may live no longer than the batch.
void ledger::look_at_kernel_objects() {
    open_objects here = open_kernel_objects({});
    raise_to(eventpolls_, here.eventpolls);
    raise_to(io_urings_, here.io_urings);
}

void ledger::end() {
    alive_.fetch_sub(1, std::memory_order_relaxed);
    // At powers of two only: among thousands of open connections a look takes milliseconds.
    if (std::has_single_bit(ended_.fetch_add(1, std::memory_order_relaxed) + 1)) look_at_kernel_objects();
}

void ledger::count() {
    // Asking the system who we are takes longer than a node of a tree: after the first thousand each 64th is
    // asked.
    const std::uint64_t before = executions_.fetch_add(1, std::memory_order_relaxed);
    ended_.fetch_add(1, std::memory_order_relaxed);
    if (before < 1024 || before % 64 == 0) note_worker();
}

std::string ledger::mistake() const {
    for (std::size_t i = 0; i < runs_.size(); ++i)
        if (std::uint32_t n = runs_[i].load(); n != 1)
            return "item " + std::to_string(i) +
                   (n == 0 ? " never ran" : " ran " + std::to_string(n) + " times");
    if (ended_.load() != executions_.load())
        return std::to_string(executions_.load() - ended_.load()) +
               " items had not ended when the run returned";
    return {};
}

account ledger::total() const {
    account sum;
    sum.executions = executions_.load();
    sum.peak_alive = static_cast<std::uint64_t>(peak_.load());
    sum.threads = threads_.size();
    sum.processes = processes_.size();
    sum.open = {eventpolls_.load(), io_urings_.load()};
    return sum;
}

open_objects most_of(const open_objects& a, const open_objects& b) {
    return {std::max(a.eventpolls, b.eventpolls), std::max(a.io_urings, b.io_urings)};
}

open_objects open_kernel_objects(std::span<const int> workers) {
    open_objects most = open_in("/proc/self/fd");
    for (int pid : workers) most = most_of(most, open_in("/proc/" + std::to_string(pid) + "/fd"));
    return most;
}

std::vector<std::string> newly_open(const open_objects& now, const open_objects& before) {
    std::vector<std::string> kinds;
    if (now.eventpolls > before.eventpolls) kinds.emplace_back("eventpoll");
    if (now.io_urings > before.io_urings) kinds.emplace_back("io_uring");
    return kinds;
}

}  // namespace crossover::bench
