// A runtime that misbehaves as the environment variable CROSSOVER_FAULT selects: the suite must reject each
// fault.
#pragma once

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <latch>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/cell/jobs.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/serial.hpp"
#include "workloads/cpu/sum_squares.hpp"

namespace crossover {

inline std::string_view chosen_fault() {
    const char* text = std::getenv("CROSSOVER_FAULT");
    return text ? text : "";
}

// With the prefix "late " the fault waits until the first check pass is over, with "tree " for a run of one
// item.
class misbehaving {
  public:
    using context = serial::context;

    static constexpr std::string_view name = "misbehaving";
    static constexpr std::string_view family = "serial";
    static constexpr engineering engineered = engineering::textbook;
    static inline const std::string_view back_end = chosen_fault() == "names a back end" ? "io_uring" : "";
    static constexpr std::string_view missing_reason(verb v) { return serial::missing_reason(v); }

    explicit misbehaving(const options& o) : honest_(o) {
        if (chosen_fault() == "does not start")
            throw refused("fork: the limit of processes (ulimit -u) is 7");
    }

    std::size_t guaranteed_concurrency() const { return honest_.guaranteed_concurrency(); }
    resource_use resources() const { return honest_.resources(); }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        ++runs_;
        items_ = n;
        auto honestly = [&](std::size_t items) { honest_.run(items, each, batch, rules); };
        if (strikes("drops an item")) return honestly(n - 1);
        if (strikes("makes up for an item") && runs_ % 2 == 0) return all_but_the_first(n, each, batch);
        if (strikes("does nothing")) return;
        if (strikes("throws")) throw std::runtime_error("the queue is\nbroken");
        if (strikes("throws an int")) throw 7;
        if (strikes("reports an item")) throw item_error(3, "no such host");
        if (strikes("reports a death")) throw worker_died(3, SIGKILL);
        if (strikes("passes a deadline")) throw timed_out("the batch passed its deadline");
        if (strikes("is refused")) throw refused("socket: the limit of open files (ulimit -n) is 64");
        if (strikes("hangs"))
            for (;;) ::pause();
        if (strikes("crashes")) std::raise(SIGSEGV);
        if (strikes("overflows its stack")) std::exit(deeper(1));
        if (strikes("aborts")) std::abort();
        if (strikes("runs more at once")) return all_at_once(n, each, batch);
        if (strikes("hides a back end")) {
            int fd = ::epoll_create1(EPOLL_CLOEXEC);
            honestly(n);
            ::close(fd);
            return;
        }
        honestly(n);
        if (strikes("runs an item twice")) honestly(1);
        if (strikes("makes up for an item") && runs_ % 2 == 1) honestly(1);
        if (strikes("returns a wrong sum")) {
            auto& sums = *static_cast<const bench::batch_of<sum_squares>*>(batch);
            sums.slots[2].value.sum += 1;
        }
    }

  private:
    bool strikes(std::string_view what) const {
        if (chosen_fault().starts_with("late ")) return runs_ > 1 && chosen_fault().substr(5) == what;
        if (chosen_fault().starts_with("tree ")) return items_ == 1 && chosen_fault().substr(5) == what;
        return chosen_fault() == what;
    }

    static void all_but_the_first(std::size_t n, job<context> each, const void* batch) {
        blocking::parker own;
        context ctx(own, nullptr);
        for (std::size_t i = 1; i < n; ++i) each(ctx, batch, i).finish();
    }

    static void all_at_once(std::size_t n, job<context> each, const void* batch) {
        std::latch together(static_cast<std::ptrdiff_t>(n));  // starting threads may take longer than an item
        std::vector<std::jthread> threads;
        threads.reserve(n);
        for (std::size_t i = 0; i < n; ++i)
            threads.emplace_back([=, &together] {
                together.arrive_and_wait();
                blocking::parker own;
                context ctx(own, nullptr);
                each(ctx, batch, i).finish();
            });
    }

    static int deeper(int n) {
        volatile char room[4096] = {};
        room[n % 4096] = static_cast<char>(n);
        return n == 0 ? 0 : deeper(n + 1) + room[0];
    }

    serial honest_;
    int runs_ = 0;
    std::size_t items_ = 0;
};

static_assert(runtime<misbehaving> && verbs_are_explained<misbehaving>());

}  // namespace crossover
