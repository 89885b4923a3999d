// The closed form of item_checksum against the definition, and the store against the words it must hold.
#include "workloads/servers/origin/item_body.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <set>
#include <vector>

#include "workloads/servers/origin/body_store.hpp"

namespace crossover {
namespace {

std::uint64_t sum_of_words(std::uint64_t n, std::uint64_t bytes) {
    std::uint64_t sum = 0;
    for (std::uint64_t k = 0; k * 8 < bytes; ++k) {
        std::uint64_t word = k == 0 ? first_word(n) : k * body_step;
        if (bytes - k * 8 < 8) word &= (std::uint64_t{1} << 8 * (bytes % 8)) - 1;
        sum += (2 * k + 1) * word;
    }
    return sum;
}

TEST(item_checksum, is_the_weighted_sum_of_the_words) {
    for (std::uint64_t bytes = 0; bytes < 200; ++bytes)
        for (const std::uint64_t n : {0U, 1U, 999'999U})
            EXPECT_EQ(item_checksum(n, bytes), sum_of_words(n, bytes)) << n << ", " << bytes;
    for (const std::uint64_t bytes : {4096, 65'535, 1'000'003, 1 << 20, 16'777'215, 16 << 20})
        EXPECT_EQ(item_checksum(7, bytes), sum_of_words(7, bytes)) << bytes;
}

TEST(item_checksum, tells_items_and_sizes_apart) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t n = 0; n < 1000; ++n)
        for (const std::uint64_t bytes : {8, 9, 64, 1000}) seen.insert(item_checksum(n, bytes));
    EXPECT_EQ(seen.size(), 4000U);
}

TEST(body_store, holds_the_words_after_the_first_and_stays_in_place) {
    body_store store;
    const std::byte* const early = store.after_first_word(9);
    const std::byte* const late = store.after_first_word(largest_body_bytes);
    EXPECT_EQ(early, late);
    for (std::uint64_t k = 1; k < largest_body_bytes / 8; ++k) {
        std::uint64_t word;
        std::memcpy(&word, late + (k - 1) * 8, sizeof word);
        ASSERT_EQ(word, k * body_step) << k;
    }
}

}  // namespace
}  // namespace crossover
