// Workers behind pipes that die or are killed at any point: the item is named, the others stop, the pool is
// whole again, and no descriptor is left open.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "runtimes/processes/process_pool_pipe.hpp"
#include "runtimes/processes/tests/kills.hpp"

namespace crossover {
namespace {

using namespace std::chrono_literals;
using deaths_test::kill_idle;
using deaths_test::kill_process;
using C = process_pool_pipe::context;

constexpr auto far = 60s;
constexpr auto soon = 8s;
constexpr int rounds = 20;

// What all see, as it is older than the workers.
struct scene {
    std::atomic<int> waiting{0};
    std::atomic<int> ended{0};
    std::atomic<int> victim{0};
};

scene& on(const void* batch) { return *static_cast<scene*>(const_cast<void*>(batch)); }

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

class pipes : public ::testing::Test {
  protected:
    scene* fresh_scene() { return seen_by_all.make<scene>(); }

    void expect_usable() {
        scene* s = fresh_scene();
        runtime->run(20, &ends, s, policy{});
        EXPECT_EQ(s->ended.load(), 20);
        EXPECT_EQ(runtime->worker_ids().size(), 4U);
    }

    static C::task ends(C&, const void* batch, std::size_t) {
        on(batch).ended.fetch_add(1);
        return {};
    }

    void expect_death_of_item_0(job<C> each, int times, std::size_t n = 3) {
        for (int i = 0; i < times; ++i) {
            scene* s = fresh_scene();
            const auto start = std::chrono::steady_clock::now();
            try {
                runtime->run(n, each, s, policy{});
                ADD_FAILURE() << "the death went unnoticed";
            } catch (const worker_died& e) {
                EXPECT_EQ(e.index(), 0U);
                EXPECT_EQ(e.signal(), SIGKILL);
            }
            EXPECT_LT(std::chrono::steady_clock::now() - start, soon);
            EXPECT_EQ(s->ended.load(), 0);
            expect_usable();
        }
    }

    arena seen_by_all;
    arena memory;
    std::size_t descriptors = open_descriptors();
    std::unique_ptr<process_pool_pipe> runtime = std::make_unique<process_pool_pipe>(options{4, &memory});

    void TearDown() override {
        runtime.reset();
        EXPECT_EQ(open_descriptors(), descriptors);
        EXPECT_EQ(memory.used(), 0U);
    }
};

C::task dies_beside_the_sleeping(C& ctx, const void* batch, std::size_t i) {
    scene& s = on(batch);
    if (i == 0) {
        while (s.waiting.load() < 2) co_await ctx.sleep_for(100us);
        ::raise(SIGKILL);
    }
    s.waiting.fetch_add(1);
    co_await ctx.sleep_for(far);
    s.ended.fetch_add(1);
}
TEST_F(pipes, a_death_stops_those_that_sleep) { expect_death_of_item_0(&dies_beside_the_sleeping, rounds); }

C::task dies_beside_the_deaf(C& ctx, const void* batch, std::size_t i) {
    scene& s = on(batch);
    if (i == 0) {
        while (s.waiting.load() < 2) co_await ctx.sleep_for(100us);
        ::raise(SIGKILL);
    }
    s.waiting.fetch_add(1);
    for (;;) ::usleep(1'000);  // looks at no stop
}
TEST_F(pipes, a_death_ends_those_that_never_look_at_a_stop) {
    expect_death_of_item_0(&dies_beside_the_deaf, 2);
}

TEST_F(pipes, idle_workers_that_are_killed_are_replaced_without_an_error) {
    for (int i = 0; i < rounds; ++i) {
        const auto ids = runtime->worker_ids();
        kill_idle(ids[static_cast<std::size_t>(i) % ids.size()]);
        if (i % 2 == 0) ::usleep(2'000);
        expect_usable();
    }
    for (int i = 0; i < 5; ++i) {
        for (int id : runtime->worker_ids()) kill_idle(id);
        expect_usable();
    }
}

TEST_F(pipes, idle_workers_that_are_killed_cost_no_report_of_what_was_used) {
    runtime->run(20, &ends, fresh_scene(), policy{});
    const usage before = runtime->workers_used();
    kill_idle(runtime->worker_ids().front());
    const usage after = runtime->workers_used();
    EXPECT_GE(after.voluntary_switches, before.voluntary_switches);
    expect_usable();
}

C::task kills_a_sibling(C& ctx, const void* batch, std::size_t i) {
    scene& s = on(batch);
    if (i == 0) {
        co_await ctx.sleep_for(200us);
        kill_process(s.victim.load());
    }
    s.waiting.fetch_add(1);
}
TEST_F(pipes, a_kill_at_any_moment_of_tiny_items_fails_one_or_none) {
    int failed = 0;
    for (int i = 0; i < 5 * rounds; ++i) {
        scene* s = fresh_scene();
        const auto ids = runtime->worker_ids();
        ASSERT_EQ(ids.size(), 4U);
        s->victim.store(ids[static_cast<std::size_t>(i) % ids.size()]);
        try {
            runtime->run(static_cast<std::size_t>(i) * 5 + 1, &kills_a_sibling, s, policy{});
            EXPECT_EQ(s->waiting.load(), i * 5 + 1) << "no error means that every item has run once";
        } catch (const worker_died& e) {
            EXPECT_EQ(e.signal(), SIGKILL);
            ++failed;
        }
    }
    EXPECT_GT(failed, 0);
    expect_usable();
}

C::task leaves(C&, const void*, std::size_t i) {
    if (i == 3) ::_exit(7);
    return {};
}
TEST_F(pipes, an_item_that_leaves_is_an_error_with_the_status) {
    try {
        runtime->run(5, &leaves, nullptr, policy{});
        ADD_FAILURE();
    } catch (const item_error& e) {
        EXPECT_EQ(e.index(), 3U);
        EXPECT_STREQ(e.what(), "the worker left with status 7 at item 3");
    }
    expect_usable();
}

struct parcel {
    std::array<std::uint64_t, 100'000> words;
};
struct parcels {
    parcel* in;
    parcel* out;
    std::size_t dies;
};
C::task dies_with_its_parcel(C&, const void* batch, std::size_t i) {
    const auto& b = *static_cast<const parcels*>(batch);
    if (i == b.dies) ::raise(SIGKILL);
    b.out[i] = b.in[i];
    return {};
}
TEST_F(pipes, a_death_amid_large_copies_leaves_nothing_of_them_to_the_next_batch) {
    constexpr std::size_t n = 8;
    const arena::scope here(memory);
    auto* b = memory.make<parcels>();
    b->in = memory.make_array<parcel>(n).data();
    b->out = memory.make_array<parcel>(n).data();
    const std::array inputs{read_by_all(b), of_each(b->in)};
    const std::array outputs{of_each(b->out)};
    for (std::uint64_t round = 0; round < n; ++round) {
        for (std::size_t i = 0; i < n; ++i) b->in[i].words.fill(round * n + i);
        b->dies = round % n;
        EXPECT_THROW(runtime->run(n, &dies_with_its_parcel, b, policy{}, extents{inputs, outputs}),
                     worker_died);
        b->dies = n;
        runtime->run(n, &dies_with_its_parcel, b, policy{}, extents{inputs, outputs});
        for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(b->out[i].words, b->in[i].words);
    }
}

// The newest child of this process. (Where the test is process 1 it has adopted dead workers, too.)
pid_t zygote_of_this_process() {
    const auto self = std::to_string(::getpid());
    std::ifstream children("/proc/" + self + "/task/" + self + "/children");
    pid_t newest = -1;
    for (pid_t id = -1; children >> id;) newest = std::max(newest, id);
    return newest;
}

C::task kills_the_zygote(C&, const void* batch, std::size_t i) {
    if (i == 0) ::kill(on(batch).victim.load(), SIGKILL);
    for (;;) ::usleep(10'000);
}
TEST_F(pipes, it_begins_again_after_its_zygote_was_killed) {
    for (int i = 0; i < 3; ++i) {
        scene* s = fresh_scene();
        s->victim.store(zygote_of_this_process());
        ASSERT_GT(s->victim.load(), 0);
        EXPECT_THROW(runtime->run(2, &kills_the_zygote, s, policy{}), worker_died);
        expect_usable();
    }
}

C::task tells_its_descriptors(C&, const void* batch, std::size_t) {
    on(batch).victim.store(static_cast<int>(open_descriptors()));
    return {};
}
TEST_F(pipes, a_worker_holds_one_line_and_none_of_another) {
    scene* s = fresh_scene();
    runtime->run(1, &tells_its_descriptors, s, policy{});
    EXPECT_EQ(s->victim.load(), static_cast<int>(descriptors) + 1);
}

C::task never_ends(C&, const void* batch, std::size_t) {
    on(batch).waiting.fetch_add(1);
    for (;;) ::usleep(10'000);
}

// What a killed parent leaves behind turns up here, as this process is made the reaper of orphans.
bool all_children_are_gone() {
    for (const auto end = std::chrono::steady_clock::now() + 5s; std::chrono::steady_clock::now() < end;) {
        const pid_t gone = ::waitpid(-1, nullptr, WNOHANG);
        if (gone < 0 && errno == ECHILD) return true;
        if (gone == 0) ::usleep(1'000);
    }
    return false;
}

TEST(pipes_end, with_a_parent_that_is_killed_amid_a_batch) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    arena shared;
    scene* s = shared.make<scene>();
    const pid_t parent = ::fork();
    if (parent == 0) {
        arena memory;
        process_pool_pipe runtime(options{2, &memory});
        runtime.run(4, &never_ends, s, policy{});
        ::_exit(0);
    }
    ASSERT_GT(parent, 0);
    while (s->waiting.load() < 2) ::usleep(1'000);
    ::kill(parent, SIGKILL);
    EXPECT_TRUE(all_children_are_gone());
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

}  // namespace
}  // namespace crossover
