// Finds out what an emulator of another processor does not do, so that tests which need it are skipped.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

// An emulator starts no programs of its processor unless the kernel knows it.
inline bool starts_itself_again() {
    posix_spawn_file_actions_t silent;
    ::posix_spawn_file_actions_init(&silent);
    ::posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    std::string name = "probe", lists = "--gtest_list_tests";
    char* const arguments[] = {name.data(), lists.data(), nullptr};
    pid_t child = 0;
    const bool begun = ::posix_spawn(&child, "/proc/self/exe", &silent, nullptr, arguments, environ) == 0;
    ::posix_spawn_file_actions_destroy(&silent);
    int status = 0;
    return begun && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// An emulator may have a thread of its own. Then no runtime that forks its workers before any thread exists
// can be made, and all its tests are skipped.
template <class R>
class emulation : public testing::Environment {
  public:
    void SetUp() override {
        const std::filesystem::directory_iterator threads("/proc/self/task");
        if (std::distance(begin(threads), end(threads)) == 1) return;
        try {
            arena memory;
            R made(options{1, &memory});
        } catch (const std::exception& e) {
            if (std::strstr(e.what(), "before any thread exists")) GTEST_SKIP() << e.what();
        }
    }
};

inline const auto* const emulated = testing::AddGlobalTestEnvironment(new emulation<RUNTIME>);

}  // namespace crossover::contract_test
