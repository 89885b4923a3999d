// What a runtime reports if the system gives it too little to start: the limit and its present value, in one
// line.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>

#include "tests/contract/emulation.hpp"
#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

// In a process of its own: makes the runtime and runs a few items once `limit` is in force. Exits with 0 if
// all went well, with 3 if what was thrown names a limit with one of the words of `named`, else with 1.
template <class R>
[[noreturn]] void try_within(void (*limit)(), std::initializer_list<const char*> named) {
    arena seen, memory;
    auto* all = seen.make<board>();
    ::alarm(60);
    limit();
    try {
        R made(options{contract<R>::cores, &memory});
        made.run(20, &contract<R>::template note_start<typename R::context>, all, policy{});
        if (all->started.load() == 20) std::_Exit(0);
    } catch (const std::bad_alloc&) {  // the bench has the words for it
        std::_Exit(3);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        if (!std::strchr(e.what(), '\n'))
            for (const char* words : named)
                if (std::strstr(e.what(), words)) std::_Exit(3);
    }
    std::_Exit(1);
}

inline bool well_or_refused(int status) {
    return WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3);
}

inline void take_all_descriptors() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const int next = ::dup(0);
    ::close(next);
    files.rlim_cur = static_cast<rlim_t>(next);
    ::setrlimit(RLIMIT_NOFILE, &files);
}

CONTRACT(a_runtime_that_gets_no_descriptor_names_the_limit) {
    if (!starts_itself_again()) GTEST_SKIP() << "this program cannot start itself: see binfmt_misc";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(try_within<R>(&take_all_descriptors, {"the limit of open files (ulimit -n) is "}),
                well_or_refused, "");
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)  // they need more address space
inline void take_most_memory() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit space{};
    ::getrlimit(RLIMIT_AS, &space);
    space.rlim_cur = pages * static_cast<std::size_t>(::getpagesize()) + (std::size_t{12} << 20);
    ::setrlimit(RLIMIT_AS, &space);
}

CONTRACT(a_runtime_that_gets_no_memory_for_stacks_names_the_limit) {
    if (!starts_itself_again()) GTEST_SKIP() << "this program cannot start itself: see binfmt_misc";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(try_within<R>(&take_most_memory, {"address space (ulimit -v) ", "raise 'ulimit -v', now "}),
                well_or_refused, "");
}
#endif

}  // namespace crossover::contract_test
