// Tests of the meters: they see what threads and forked workers do, and memory as the kernel counts it.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "bench/cell/make_cells.hpp"
#include "bench/cell/model_of.hpp"
#include "bench/cell/passes.hpp"
#include "bench/meters/memory.hpp"
#include "bench/meters/sampler.hpp"
#include "runtimes/system/usage.hpp"
#include "tests/doubles/forking.hpp"

namespace crossover::bench {
namespace {

std::uint64_t thread_cpu_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

void spin_30_ms() {
    for (std::uint64_t end = thread_cpu_ns() + 30'000'000; thread_cpu_ns() < end;) {
    }
}

// spin: each item uses 30 ms of CPU.
struct spin {
    static constexpr std::string_view name = "spin";
    static constexpr std::string_view question = "is it seen?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "spins";
    static constexpr metric decides = metric::cpu;
    static constexpr std::string_view bound = "30 ms each";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t tasks;
    };
    static constexpr std::array fields{field<params>{"tasks", &params::tasks, 1, 1000}};
    static constexpr std::array sizes{size<params>{{2}, quick}};

    struct output {
        std::uint64_t done;
    };

    static std::size_t items(const params& p) { return p.tasks; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void item(const params&, std::size_t, output& out) {
        spin_30_ms();
        out.done = 1;
    }
    static std::string verify(const params&, std::span<const output>) { return {}; }
};

// The same, after 30 ms before each pass.
struct spin_after_another : spin {
    struct prepared {
        prepared(const environment&, const params&) {}
        void before_pass() { spin_30_ms(); }
    };

    static void item(const params& p, const prepared&, std::size_t i, output& out) { spin::item(p, i, out); }
};

template <class R, class W = spin>
sample sample_of_180_ms(std::uint64_t untimed = 0) {
    empty_bench before = empty_bench::now();
    model_of<R> model(1, 0, workload_list<W>{});
    lazy_origin origin(std::nullopt);
    lazy_load load(std::nullopt);
    sampler samples(model, origin, load, before);
    return samples.take(*model.cells().front(), 3, untimed);
}

// The tests' machine may be busy, but CPU time is not wall time: what is spun is used, and little else. (Six
// forks of a sanitized process take 30 ms.) What is not to be counted is 90 ms at least.
void expect_180_ms(const usage& used) {
    std::uint64_t ns = used.user_ns + used.system_ns;
    EXPECT_GE(ns, 178'000'000U);
    EXPECT_LE(ns, 250'000'000U);
}

TEST(meters, a_spin_in_the_calling_thread_is_seen) { expect_180_ms(sample_of_180_ms<serial>().used); }

TEST(meters, what_is_done_before_a_pass_is_not_charged_to_it) {
    const sample seen = sample_of_180_ms<serial, spin_after_another>();
    expect_180_ms(seen.used);
    EXPECT_GE(seen.wall_ns, 178'000'000U);
}

TEST(meters, untimed_passes_are_charged_to_nobody) {
    expect_180_ms(sample_of_180_ms<serial>(2).used);
    expect_180_ms(sample_of_180_ms<serial, spin_after_another>(2).used);
    expect_180_ms(sample_of_180_ms<forking>(2).used);
}

TEST(meters, a_spin_in_a_forked_worker_is_seen_as_long_as_it_was) {
    expect_180_ms(sample_of_180_ms<forking>().used);
}

TEST(meters, a_spin_in_a_thread_that_has_ended_is_seen) {
    usage before = own_usage();
    std::thread(spin_30_ms).join();
    usage used = own_usage() - before;
    EXPECT_GE(used.user_ns + used.system_ns, 29'900'000U);
    EXPECT_LE(used.user_ns + used.system_ns, 40'000'000U);
}

TEST(meters, what_children_use_is_not_counted_twice) {
    usage before = own_usage();
    int child = ::fork();
    if (child == 0) {
        spin_30_ms();
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    usage used = own_usage() - before;
    EXPECT_LE(used.user_ns + used.system_ns, 20'000'000U);
}

TEST(meters, a_blocking_wait_is_a_voluntary_switch) {
    usage before = own_usage();
    for (int i = 0; i < 10; ++i) ::usleep(100);
    EXPECT_GE((own_usage() - before).voluntary_switches, 10U);
}

constexpr std::size_t mebibyte = std::size_t{1} << 20;

class touched {
  public:
    touched(std::size_t bytes, int sharing)
        : bytes_(bytes), at_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0)) {
        std::memset(at_, 1, bytes);
    }
    ~touched() { ::munmap(at_, bytes_); }
    char read_all() const {
        char sum = 0;
        for (std::size_t i = 0; i < bytes_; i += 4096)
            sum = static_cast<char>(sum + static_cast<volatile char*>(at_)[i]);
        return sum;
    }
    touched(const touched&) = delete;
    touched& operator=(const touched&) = delete;

  private:
    std::size_t bytes_;
    void* at_;
};

TEST(memory, a_peak_is_seen_after_it_is_gone_and_forgotten_on_demand) {
    forget_peaks({});
    footprint before = memory_of({});
    { touched room(32 * mebibyte, MAP_PRIVATE); }
    footprint after = memory_of({});
    EXPECT_GE(after.peak_rss, before.peak_rss + 31 * mebibyte);
    EXPECT_LE(after.pss, before.pss + 4 * mebibyte);
    forget_peaks({});
    EXPECT_LE(memory_of({}).peak_rss, after.peak_rss - 28 * mebibyte);
}

// A child that touches memory and waits until it is let go.
class child_that_holds {
  public:
    explicit child_that_holds(const touched& room) {
        int ready[2];
        if (::pipe(ready) != 0 || ::pipe(hold_) != 0) throw std::runtime_error("no pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(hold_[1]);
            char byte = room.read_all();
            [[maybe_unused]] auto told = ::write(ready[1], &byte, 1);
            [[maybe_unused]] auto ended = ::read(hold_[0], &byte, 1);
            ::_exit(0);
        }
        ::close(ready[1]);
        char byte = 0;
        [[maybe_unused]] auto waited = ::read(ready[0], &byte, 1);
        ::close(ready[0]);
    }
    ~child_that_holds() {
        ::close(hold_[0]);
        ::close(hold_[1]);
        ::waitpid(pid_, nullptr, 0);
    }
    child_that_holds(const child_that_holds&) = delete;
    child_that_holds& operator=(const child_that_holds&) = delete;

    int pid() const { return pid_; }

  private:
    int hold_[2];
    int pid_;
};

TEST(memory, what_processes_share_counts_once_in_pss_and_in_the_peak_of_each) {
    touched room(32 * mebibyte, MAP_SHARED);
    footprint alone = memory_of({});
    child_that_holds child(room);
    footprint both = memory_of(std::array{child.pid()});
    EXPECT_LE(both.pss, alone.pss + 8 * mebibyte);
    EXPECT_GE(both.peak_rss, alone.peak_rss + 31 * mebibyte);
}

TEST(memory, a_process_that_has_ended_counts_nothing) {
    int child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    footprint alone = memory_of({});
    EXPECT_LE(memory_of(std::array{child}).pss, alone.pss + mebibyte);
}

TEST(memory, each_process_is_measured_above_an_empty_bench) {
    footprint rest = above({10, 8}, {35, 20}, 3);
    EXPECT_EQ(rest.peak_rss, 5U);
    EXPECT_EQ(rest.pss, 12U);
    EXPECT_EQ(above({10, 8}, {9, 7}, 1).peak_rss, 0U);
}

}  // namespace
}  // namespace crossover::bench
