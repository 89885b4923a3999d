// The arena: addresses shared with forked workers, alignment, what is given back, and what is refused.
#include "runtimes/contract/arena.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

#include "runtimes/system/errors.hpp"

namespace crossover {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

TEST(arena, a_forked_process_writes_to_the_same_memory_at_the_same_address) {
    arena memory(mebibyte);
    auto* word = memory.make<std::atomic<std::uint32_t>>(0U);
    pid_t child = ::fork();
    if (child == 0) {
        word->store(memory.contains(word) ? 42 : 1);
        ::_exit(0);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_EQ(word->load(), 42U);
}

TEST(arena, allocations_are_aligned_and_do_not_overlap) {
    arena memory(mebibyte);
    char* first = static_cast<char*>(memory.allocate(3, 1));
    char* second = static_cast<char*>(memory.allocate(100, 64));
    char* third = static_cast<char*>(memory.allocate(8, 8));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second) % 64, 0U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(third) % 8, 0U);
    EXPECT_GE(second, first + 3);
    EXPECT_GE(third, second + 100);
}

TEST(arena, arrays_are_cleared_even_in_memory_that_was_used_before) {
    arena memory(mebibyte);
    {
        arena::scope used(memory);
        for (auto& element : memory.make_array<std::uint64_t>(1'000)) element = 7;
    }
    EXPECT_EQ(memory.used(), 0U);
    for (auto element : memory.make_array<std::uint64_t>(1'000)) ASSERT_EQ(element, 0U);
}

TEST(arena, an_empty_array_takes_nothing) {
    arena memory(mebibyte);
    EXPECT_TRUE(memory.make_array<std::uint64_t>(0).empty());
    EXPECT_EQ(memory.used(), 0U);
}

TEST(arena, a_full_arena_refuses_in_one_line_and_stays_usable) {
    arena memory(mebibyte);
    memory.allocate(mebibyte - 8, 1);
    try {
        memory.allocate(9, 1);
        FAIL() << "there was no room";
    } catch (const refused& e) {
        EXPECT_NE(std::strstr(e.what(), "1 MiB is full"), nullptr);
        EXPECT_EQ(std::strchr(e.what(), '\n'), nullptr);
    }
    EXPECT_NO_THROW(memory.allocate(8, 1));
    EXPECT_THROW(memory.allocate(~std::size_t{0}, 8), refused);
}

TEST(arena, released_pages_go_back_to_the_system) {
    arena memory(64 * mebibyte);
    constexpr std::size_t size = 32 * mebibyte;
    void* block = nullptr;
    auto resident_pages = [&] {
        std::vector<unsigned char> pages(size / 4096);
        EXPECT_EQ(::mincore(block, size, pages.data()), 0);
        return std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
    };
    {
        arena::scope used(memory);
        block = memory.allocate(size, 4096);
        std::memset(block, 1, size);
        EXPECT_EQ(resident_pages(), static_cast<std::ptrdiff_t>(size / 4096));
    }
    EXPECT_EQ(resident_pages(), 0);
}

TEST(arena, a_worker_that_parts_from_it_shares_what_is_below_the_mark_and_nothing_above) {
    arena memory;
    auto* below = memory.make<int>(1);
    const std::size_t mark = memory.used();
    memory.allocate(0, 4096);
    auto* above = memory.make<int>(2);
    const pid_t worker = ::fork();
    if (worker == 0) {
        memory.part_from(mark);
        const int found = *above;
        *below = *above = 7;
        ::_exit(found);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(worker, &status, 0), worker);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "its own memory is empty at first";
    EXPECT_EQ(*below, 7);
    EXPECT_EQ(*above, 2);
}

}  // namespace
}  // namespace crossover
