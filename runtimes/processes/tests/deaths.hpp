// What the tests of dying processes start from: a batch in which one dies, and a look at what is left.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>

#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/runtime.hpp"
#include "tests/contract/echo_server.hpp"

namespace crossover::deaths_test {

using namespace std::chrono_literals;
using contract_test::echo_server;

inline constexpr int rounds = 20;
inline constexpr auto soon = 8s;

template <class C>
struct scene {
    explicit scene(arena& memory) : permits(1), queue(memory, 2) {}
    endpoint server = echo_server::address();
    typename C::semaphore permits;
    typename C::template channel<std::uint64_t> queue;
    std::atomic<int> waiting{0};
    std::atomic<int> ended{0};
    std::atomic<int> victim{0};
};

template <class C>
scene<C>& on(const void* batch) {
    return *static_cast<scene<C>*>(const_cast<void*>(batch));
}

template <class R>
class deaths : public ::testing::Test {
  public:
    using C = typename R::context;

    // Runs n items, of which item 0 dies, several times.
    void expect_death_of_item_0(job<C> each, policy rules = policy{}, std::size_t n = 3, int times = rounds) {
        for (int i = 0; i < times; ++i) {
            arena::scope scope(memory);
            auto* s = memory.make<scene<C>>(memory);
            auto start = std::chrono::steady_clock::now();
            try {
                runtime.run(n, each, s, rules);
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

    void expect_usable() {
        arena::scope scope(memory);
        auto* s = memory.make<scene<C>>(memory);
        runtime.run(20, &ends<C>, s, policy{});
        EXPECT_EQ(s->ended.load(), 20);
    }

    template <class Context>
    static typename Context::task ends(Context&, const void* batch, std::size_t) {
        on<Context>(batch).ended.fetch_add(1);
        return {};
    }

    arena memory;
    R runtime{options{4, &memory}};
};

struct name_of {
    template <class R>
    static std::string GetName(int) {
        return std::string(R::name);
    }
};

}  // namespace crossover::deaths_test
