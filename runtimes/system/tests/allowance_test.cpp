// Tests of what the limits allow, and how many items that gives.
#include "runtimes/system/limits/allowance.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>

#include "runtimes/system/limits/limits.hpp"
#include "runtimes/threads/thread_per_task.hpp"

namespace crossover {
namespace {

// In a process of its own, whose limits and user may be changed.
bool holds_in_a_child(const std::function<bool()>& check) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(check() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool lists(const std::vector<allowance>& all, const std::string& name) {
    return std::ranges::find(all, name, &allowance::name) != all.end();
}

TEST(allowance, half_of_a_limit_may_be_used_and_no_more_than_is_left) {
    EXPECT_EQ((allowance{"", 400, 0}).spare(), 200U);
    EXPECT_EQ((allowance{"", 400, 199}).spare(), 200U);
    EXPECT_EQ((allowance{"", 400, 390}).spare(), 10U);
    EXPECT_EQ((allowance{"", 400, 500}).spare(), 0U);
}

TEST(allowance, the_machine_limits_memory_mappings_and_threads) {
    EXPECT_TRUE(lists(memory_allowances(), "memory of the machine"));
    EXPECT_TRUE(lists(mapping_allowances(), "vm.max_map_count"));
    EXPECT_TRUE(lists(task_allowances(), "kernel.threads-max"));
    EXPECT_TRUE(lists(task_allowances(), "kernel.pid_max"));
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

TEST(allowance, a_thread_per_task_promises_no_more_than_the_address_space_has_stacks_for) {
    EXPECT_TRUE(holds_in_a_child([] {
        const rlimit few{std::size_t{4} << 30, std::size_t{4} << 30};
        ::setrlimit(RLIMIT_AS, &few);
        const thread_per_task model{options{}};
        return model.guaranteed_concurrency() <= (std::size_t{2} << 30) / model.resources().stack_bytes &&
               model.concurrency_limit().starts_with("address space (ulimit -v) is 4294967296, ");
    }));
}

#endif

TEST(allowance, an_ordinary_user_has_half_of_ulimit_u_or_what_is_left_of_it) {
    if (::getuid() != 0) GTEST_SKIP() << "becoming another user needs root";
    constexpr uid_t nobody_else = 23'456;
    EXPECT_TRUE(holds_in_a_child([] {
        const rlimit few{400, 400};
        ::setrlimit(RLIMIT_NPROC, &few);
        const bool free =
            !lists(task_allowances(), "processes and threads (ulimit -u)");  // root has no limit
        if (::setuid(nobody_else) != 0) return false;
        const thread_per_task model{options{}};
        return free && model.guaranteed_concurrency() == 200 &&
               model.concurrency_limit().starts_with("processes and threads (ulimit -u) is 400, ");
    }));
#if !defined(__SANITIZE_THREAD__)  // which has threads of its own
    EXPECT_TRUE(holds_in_a_child([] {
        const rlimit few{10, 10};
        ::setrlimit(RLIMIT_NPROC, &few);
        if (::setuid(nobody_else) != 0) return false;
        std::array<pid_t, 6> others{};
        for (pid_t& other : others)
            if (other = ::fork(); other == 0)
                for (;;) ::pause();
        const std::size_t left = thread_per_task{options{}}.guaranteed_concurrency();
        for (const pid_t other : others) ::kill(other, SIGKILL);
        return left == 3;
    }));
#endif
}

}  // namespace
}  // namespace crossover
