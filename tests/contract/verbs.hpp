// What a runtime declares, and the verbs without a group of their own: yield, read_file.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <system_error>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

CONTRACT(a_runtime_says_what_it_is) {
    EXPECT_GE(t.runtime.guaranteed_concurrency(), 1U);
    EXPECT_GE(t.runtime.resources().threads, 1U);
    EXPECT_GE(t.runtime.resources().processes, 1U);
    constexpr std::array<std::string_view, 7> families{"serial", "event_loop", "threads", "processes",
                                                       "fibers", "tbb",        "peer"};
    EXPECT_NE(std::find(families.begin(), families.end(), R::family), families.end());
}

CONTRACT(every_missing_verb_has_its_reason_in_one_line) {
    for (verb v : all_verbs) {
        EXPECT_EQ(has<C>(v), R::missing_reason(v).empty()) << name_of(v);
        EXPECT_EQ(R::missing_reason(v).find('\n'), std::string_view::npos);
        EXPECT_LT(R::missing_reason(v).size(), 160U);
    }
}

// Item 0 goes round until item 1 has run.
template <class C>
typename C::task lets_the_other_run(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<board>(batch);
    inside here(b.frames);
    if (i == 0)
        while (b.started.load() == 0) co_await ctx.yield();
    else
        b.started.fetch_add(1);
}

CONTRACT(yield_lets_what_is_ready_run, verb::yield) {
    if (t.runtime.guaranteed_concurrency() < 2) GTEST_SKIP() << "one at a time";
    auto b = t.template make<board>();
    t.runtime.run(2, &lets_the_other_run<C>, b.get(), policy{});
    EXPECT_EQ(b->started.load(), 1U);
}

struct library : board {
    std::atomic<std::uint32_t> done{0};
    char path[64] = {};
    std::atomic<std::uint32_t> failed{0};
};

template <class C>
typename C::task reads_a_file(C& ctx, const void* batch, std::size_t) {
    auto& b = on<library>(batch);
    inside here(b.frames);
    std::array<std::byte, 10> small{};
    std::size_t n = co_await ctx.read_file(b.path, std::span<std::byte>(small));
    if (n == 10 && small[9] == std::byte{'9'}) b.done.fetch_add(1);
    std::array<std::byte, 100> large{};
    n = co_await ctx.read_file(b.path, std::span<std::byte>(large));
    if (n == 26 && large[25] == std::byte{'z'}) b.done.fetch_add(1);
    try {
        co_await ctx.read_file("/nonexistent/file", std::span<std::byte>(small));
    } catch (const std::system_error& e) {
        if (e.code().value() == ENOENT) b.failed.fetch_add(1);
    }
}

CONTRACT(read_file_reads_as_much_as_there_is_room_for, verb::read) {
    auto b = t.template make<library>();
    std::string path = ::testing::TempDir() + "crossover_XXXXXX";
    int fd = ::mkstemp(path.data());
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::write(fd, "0123456789abcdefghijklmnoz", 26), 26);
    ::close(fd);
    path.copy(b->path, sizeof b->path - 1);
    t.runtime.run(20, &reads_a_file<C>, b.get(), policy{});
    ::unlink(path.c_str());
    EXPECT_EQ(b->done.load(), 40U);
    EXPECT_EQ(b->failed.load(), 20U);
}

}  // namespace crossover::contract_test
