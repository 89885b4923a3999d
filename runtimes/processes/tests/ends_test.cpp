// Tests that no process outlives the model's parent, and that errors name what the system refused.
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtimes/processes/process_per_task.hpp"
#include "runtimes/processes/process_pool.hpp"
#include "runtimes/processes/process_pool_wide.hpp"
#include "runtimes/processes/zygote.hpp"

namespace crossover {
namespace {

using namespace std::chrono_literals;

template <class R>
class ends : public ::testing::Test {};
using models = ::testing::Types<process_pool, process_pool_wide, process_per_task>;
struct name_of {
    template <class R>
    static std::string GetName(int) {
        return std::string(R::name);
    }
};
TYPED_TEST_SUITE(ends, models, name_of);

// Makes this process the reaper of orphans: what a killed parent leaves behind turns up here.
class reaper {
  public:
    reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
    ~reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }

    // True when every child is gone in time.
    static bool all_gone() {
        for (auto end = std::chrono::steady_clock::now() + 5s; std::chrono::steady_clock::now() < end;) {
            pid_t gone = ::waitpid(-1, nullptr, WNOHANG);
            if (gone < 0 && errno == ECHILD) return true;
            if (gone == 0) ::usleep(1'000);
        }
        return false;
    }
};

template <class C>
typename C::task holds_on(C&, const void* batch, std::size_t) {
    static_cast<std::atomic<int>*>(const_cast<void*>(batch))->fetch_add(1);
    for (;;) ::usleep(10'000);
}

// Forks a parent that runs items which never end; returns once they have begun.
template <class R>
pid_t parent_amid_a_batch(
    arena& shared, void (*before)() = [] {}) {
    auto* begun = shared.make<std::atomic<int>>(0);
    pid_t parent = ::fork();
    if (parent == 0) {
        before();
        arena memory;
        R runtime(options{2, &memory});
        runtime.run(4, &holds_on<typename R::context>, begun, policy{});
        ::_exit(0);
    }
    if (parent < 0) throw std::runtime_error("fork failed");
    while (begun->load() < 2) ::usleep(1'000);
    return parent;
}

TYPED_TEST(ends, with_a_parent_that_is_killed) {
    reaper here;
    arena shared;
    pid_t parent = parent_amid_a_batch<TypeParam>(shared);
    ::kill(parent, SIGKILL);
    EXPECT_TRUE(reaper::all_gone());
}

TYPED_TEST(ends, with_a_process_group_that_is_interrupted) {
    reaper here;
    arena shared;
    pid_t parent = parent_amid_a_batch<TypeParam>(shared, [] {
        std::signal(SIGINT, SIG_DFL);
        ::setpgid(0, 0);
    });
    ::kill(-parent, SIGINT);
    EXPECT_TRUE(reaper::all_gone());
}

TYPED_TEST(ends, with_a_parent_that_exits_without_saying_so) {
    reaper here;
    pid_t parent = ::fork();
    if (parent == 0) {
        arena memory;
        TypeParam runtime(options{2, &memory});
        ::_exit(0);
    }
    EXPECT_TRUE(reaper::all_gone());
}

TYPED_TEST(ends, when_it_is_destroyed_and_gives_its_memory_back) {
    reaper here;
    arena memory;
    std::size_t before = memory.used();
    for (int i = 0; i < 5; ++i) {
        TypeParam runtime(options{2, &memory});
    }
    EXPECT_EQ(memory.used(), before);
    EXPECT_TRUE(reaper::all_gone());
}

TYPED_TEST(ends, one_of_two_while_the_other_lives) {
    arena memory;
    auto first = std::make_unique<TypeParam>(options{2, &memory});
    TypeParam second(options{2, &memory});
    first.reset();
    auto* runs = memory.make<std::atomic<int>>(0);
    job<typename TypeParam::context> count = [](auto&, const void* batch, std::size_t) {
        static_cast<std::atomic<int>*>(const_cast<void*>(batch))->fetch_add(1);
        return typename TypeParam::context::task{};
    };
    second.run(5, count, runs, policy{});
    EXPECT_EQ(runs->load(), 5);
}

std::string refusal_of(auto make) {
    try {
        make();
    } catch (const refused& e) {
        return e.what();
    }
    return "not refused";
}

TYPED_TEST(ends, before_it_begins_where_threads_exist) {
    std::atomic<bool> over{false};
    std::jthread other([&] {
        while (!over) ::usleep(1'000);
    });
    arena memory;
    std::string text = refusal_of([&] { TypeParam runtime(options{2, &memory}); });
    over = true;
    EXPECT_NE(text.find("2 threads: make the runtime first"), std::string::npos) << text;
}

TYPED_TEST(ends, before_it_begins_without_memory_for_stacks) {
    arena memory(std::size_t{4} << 20);
    std::string text = refusal_of([&] { TypeParam runtime(options{2, &memory}); });
    EXPECT_NE(text.find("the arena of 4 MiB is full"), std::string::npos) << text;
    EXPECT_EQ(memory.used(), 0U);
}

// Root may have a machine to itself, as in a chroot whose top is closed: nobody else comes as far as /proc.
bool another_user_may_enter() {
    struct stat top {};
    return ::stat("/", &top) == 0 && (top.st_mode & S_IXOTH) != 0;
}

// In a child without privileges, which may have no further process.
TYPED_TEST(ends, before_it_begins_where_fork_is_refused) {
    if (::geteuid() == 0 && !another_user_may_enter()) GTEST_SKIP() << "no other user may enter / here";
    pid_t child = ::fork();
    if (child == 0) {
        rlimit none{1, 1};
        ::setrlimit(RLIMIT_NPROC, &none);
        if (::geteuid() == 0 &&
            (::setgroups(0, nullptr) != 0 || ::setgid(65'534) != 0 || ::setuid(65'534) != 0))
            ::_exit(3);
        arena memory;
        std::string text = refusal_of([&] { TypeParam runtime(options{2, &memory}); });
        bool named = text.find("the limit of processes and threads (ulimit -u) is 1,") != std::string::npos;
        ::_exit(named ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

template <class C>
typename C::task waits_for_all(C& ctx, const void* batch, std::size_t) {
    auto& started = *static_cast<std::atomic<int>*>(const_cast<void*>(batch));
    started.fetch_add(1);
    while (started.load() < 20) co_await ctx.sleep_for(5ms);
}

// In a child of a user that has no other process: others take the room that there was when the model was
// made.
TEST(process_per_task, a_fork_that_is_refused_midway_ends_the_items_that_wait_for_it) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become such a user";
    if (!another_user_may_enter()) GTEST_SKIP() << "no other user may enter / here";
    pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        rlimit few{64, 64};
        ::setrlimit(RLIMIT_NPROC, &few);
        const auto alone = static_cast<uid_t>(60'000 + ::getpid() % 5'000);
        if (::setgroups(0, nullptr) != 0 || ::setgid(alone) != 0 || ::setuid(alone) != 0) ::_exit(3);
        arena memory;
        auto* started = memory.make<std::atomic<int>>(0);
        process_per_task runtime(options{2, &memory});
        if (runtime.guaranteed_concurrency() < 20) ::_exit(4);
        for (int i = 0; i < 52; ++i) {
            if (::fork() != 0) continue;
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;) ::pause();
        }
        std::string text;
        try {
            runtime.run(20, &waits_for_all<process_per_task::context>, started, policy{});
        } catch (const item_refused& e) {
            text = e.what();
        }
        bool named = text.find("the limit of processes and threads (ulimit -u) is 64,") != std::string::npos;
        ::_exit(named && started->load() > 0 ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(process_pool, refuses_more_workers_than_it_can_hold) {
    arena memory;
    std::string text = refusal_of([&] { process_pool runtime(options{1'025, &memory}); });
    EXPECT_EQ(text, "process_pool holds at most 1024 workers, not 1025: choose fewer cores");
}

// Ends once a message has come, without reading it.
void answers_unread(int socket, void*) {
    pollfd message{socket, POLLIN, 0};
    ::poll(&message, 1, -1);
    const int last = 42;
    processes::send(socket, &last, sizeof last);
}

TEST(zygote, what_it_said_last_arrives_although_it_ended_with_messages_unread) {
    const processes::zygote ending("a test", answers_unread, nullptr);
    const int message = 0;
    ASSERT_TRUE(processes::send(ending.socket(), &message, sizeof message));
    siginfo_t ended{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(ending.id()), &ended, WEXITED | WNOWAIT), 0);
    int said = 0;
    EXPECT_EQ(processes::receive(ending.socket(), &said, sizeof said, true), static_cast<int>(sizeof said));
    EXPECT_EQ(said, 42);
    EXPECT_EQ(processes::receive(ending.socket(), &said, sizeof said, true), -1);
}

// The newest child of this process. (Where the test is process 1 it has adopted dead workers, too.)
pid_t zygote_of_this_process() {
    auto self = std::to_string(::getpid());
    std::ifstream children("/proc/" + self + "/task/" + self + "/children");
    pid_t newest = -1;
    for (pid_t id = -1; children >> id;) newest = std::max(newest, id);
    return newest;
}

template <class C>
typename C::task kills_the_zygote(C&, const void* batch, std::size_t i) {
    if (i == 0) ::kill(*static_cast<const pid_t*>(batch), SIGKILL);
    for (;;) ::usleep(10'000);
}

TYPED_TEST(ends, and_begins_again_after_its_zygote_was_killed) {
    using C = typename TypeParam::context;
    arena memory;
    TypeParam runtime(options{2, &memory});
    for (int i = 0; i < 3; ++i) {
        arena::scope scope(memory);
        pid_t zygote = zygote_of_this_process();
        ASSERT_GT(zygote, 0);
        auto* id = memory.make<pid_t>(zygote);
        EXPECT_ANY_THROW(runtime.run(2, &kills_the_zygote<C>, id, policy{}));
        job<C> nothing = [](C&, const void*, std::size_t) { return typename C::task{}; };
        EXPECT_NO_THROW(runtime.run(10, nothing, nullptr, policy{}));
    }
}

}  // namespace
}  // namespace crossover
