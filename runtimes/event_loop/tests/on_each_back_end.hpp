// Test fixture: the same test on each back end of the loop.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "runtimes/event_loop/loop/io_uring.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover::asyncio {

struct back_end {
    const char* name;
    reactor_factory make;
};

inline void PrintTo(const back_end& b, std::ostream* out) { *out << b.name; }

class on_each_back_end : public testing::TestWithParam<back_end> {
  protected:
    // Skips the test where the system has no such back end: under a container's filter, or in an emulator.
    on_each_back_end() {
        try {
            GetParam().make();
        } catch (const std::system_error& e) {
            if (!is_withheld(e.code().value())) throw;
            [&e] { GTEST_SKIP() << e.what(); }();
        }
    }
    loop_options options() const {
        loop_options o;
        o.back_end = GetParam().make;
        o.strict_poll = true;
        return o;
    }
    template <class T>
    T run(coro<T> main) {
        return asyncio::run(std::move(main), options());
    }
};

// What happened, in order.
using log = std::vector<std::string>;

inline std::string back_end_name(const testing::TestParamInfo<back_end>& made) { return made.param.name; }

#define CROSSOVER_ON_EACH_BACK_END(suite)                                                   \
    INSTANTIATE_TEST_SUITE_P(on, suite,                                                     \
                             testing::Values(back_end{"epoll", &make_epoll_reactor},        \
                                             back_end{"io_uring", &make_io_uring_reactor}), \
                             back_end_name)

}  // namespace crossover::asyncio
