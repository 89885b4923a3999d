// Tests of shares, claims and calls for help under stealing: nothing is lost or taken twice.
#include "runtimes/scheduler/claims.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "runtimes/scheduler/atomic_bitset.hpp"
#include "runtimes/scheduler/help_deque.hpp"
#include "runtimes/scheduler/scheduler.hpp"
#include "runtimes/scheduler/share.hpp"

namespace crossover::pool {
namespace {

void nothing(std::uint32_t) {}

TEST(share, is_taken_in_order_by_its_own_worker) {
    share s;
    s.set({3, 6, 1});
    std::vector<std::uint32_t> noted;
    auto note = [&](std::uint32_t i) { noted.push_back(i); };
    EXPECT_EQ(s.take(note), 3U);
    EXPECT_EQ(s.take(note), 4U);
    EXPECT_EQ(s.take(note), 5U);
    EXPECT_EQ(s.take(note), std::nullopt);
    EXPECT_EQ(noted, (std::vector<std::uint32_t>{3, 4, 5})) << "an item is noted before it is claimed";
}

TEST(share, gives_its_back_half_to_a_thief) {
    share s;
    share thief;
    s.set({0, 5, 1});
    ASSERT_EQ(thief.steal_from(s, nothing), 3U);
    EXPECT_EQ(thief.now().first, 2U);
    EXPECT_EQ(thief.now().end, 5U);
    EXPECT_EQ(thief.drop(), 3U);
    s.set({7, 8, 1});
    EXPECT_EQ(thief.steal_from(s, nothing), 1U) << "the last item can be stolen too";
    EXPECT_EQ(thief.now().first, 7U);
    EXPECT_EQ(s.steal_from(s, nothing), 0U);
}

TEST(share, tells_of_each_theft_and_of_none_that_found_nothing) {
    share s;
    share thief;
    EXPECT_EQ(thief.steal_from(s, nothing), 0U);
    EXPECT_EQ(thief.thefts(), 0U);
    s.set({0, 2, 1});
    EXPECT_EQ(thief.steal_from(s, nothing), 1U);
    EXPECT_EQ(thief.thefts(), 2U) << "odd only during the theft";
    EXPECT_EQ(s.thefts(), 0U);
}

TEST(share, names_the_batch_before_a_theft_also_when_the_next_one_has_begun_with_the_same_range) {
    share s;
    share thief;
    std::vector<std::uint32_t> noted;
    s.set({0, 4, 1});
    auto note = [&](std::uint32_t batch) {
        if (noted.empty()) s.set({0, 4, 2});
        noted.push_back(batch);
    };
    EXPECT_EQ(thief.steal_from(s, note), 2U);
    EXPECT_EQ(noted, (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(thief.now().batch, 2U);
}

TEST(share, holds_the_most_items_that_are_shared_out_at_once) {
    share s;
    s.set({static_cast<std::uint32_t>(share::limit) - 1, static_cast<std::uint32_t>(share::limit),
           share::batches});
    EXPECT_EQ(s.take(nothing), share::limit - 1);
    EXPECT_FALSE(s.take(nothing));
}

TEST(share, loses_and_doubles_nothing_among_four_thieves) {
    constexpr std::uint32_t items = 200'000;
    std::vector<share> shares(4);
    std::vector<std::atomic<int>> claims(items);
    shares[0].set({0, items, 1});
    std::atomic<std::uint32_t> left{items};
    std::vector<std::jthread> threads;
    for (std::size_t me = 0; me < shares.size(); ++me)
        threads.emplace_back([&, me] {
            while (left.load() != 0) {
                while (auto i = shares[me].take(nothing)) {
                    claims[*i].fetch_add(1);
                    left.fetch_sub(1);
                }
                for (std::size_t v = 1; v < shares.size(); ++v)
                    if (shares[me].steal_from(shares[(me + v) % shares.size()], nothing) != 0) break;
            }
        });
    threads.clear();
    for (const auto& c : claims) ASSERT_EQ(c.load(), 1);
}

class invited : public ::testing::Test {
  protected:
    static constexpr futex_scope scope = futex_scope::in_process;
    using batch = nested_batch<scope>;
    static batch some_batch() { return batch(policy{}, nullptr, 1, nullptr, nullptr, 0, 0); }
    static bool any(const batch&) { return true; }
    void SetUp() override { asymmetric_fence<scope>::join(); }
    help_deque<scope> deque;
};

TEST_F(invited, thieves_get_the_oldest_and_the_owner_the_newest) {
    batch a = some_batch();
    batch b = some_batch();
    EXPECT_EQ(deque.add(a, 2), 2U);
    EXPECT_EQ(deque.add(b, 3), 3U);
    EXPECT_EQ(deque.steal(any), &a);
    EXPECT_EQ(deque.retract(3), 0U);
    EXPECT_EQ(deque.steal(any), &a);
    EXPECT_EQ(deque.retract(2), 2U) << "both of the first batch were stolen";
    EXPECT_TRUE(deque.empty());
}

TEST_F(invited, an_unwanted_call_for_help_stays) {
    batch a = some_batch();
    deque.add(a, 1);
    EXPECT_EQ(deque.steal([](const batch&) { return false; }), nullptr);
    EXPECT_EQ(deque.retract(1), 0U);
}

TEST_F(invited, a_full_deque_takes_fewer) {
    batch a = some_batch();
    EXPECT_EQ(deque.add(a, 5'000), 1'024U);
    EXPECT_EQ(deque.add(a, 1), 0U);
    EXPECT_EQ(deque.steal(any), &a);
    EXPECT_EQ(deque.add(a, 2), 1U);
    EXPECT_EQ(deque.retract(1'025), 1U);
}

TEST_F(invited, what_is_retracted_and_what_is_stolen_make_up_what_was_added) {
    batch a = some_batch();
    std::atomic<bool> over{false};
    std::atomic<std::size_t> stolen{0};
    std::vector<std::jthread> thieves;
    for (int i = 0; i < 3; ++i)
        thieves.emplace_back([&] {
            while (!over.load())
                if (deque.steal(any)) stolen.fetch_add(1);
        });
    std::size_t reported = 0;
    for (std::size_t i = 0; i < 300'000; ++i) {
        std::size_t outer = deque.add(a, 1 + i % 3);
        std::size_t inner = deque.add(a, 1 + i % 2);
        reported += deque.retract(inner);
        reported += deque.retract(outer);
    }
    over.store(true);
    thieves.clear();
    EXPECT_EQ(stolen.load(), reported);
    EXPECT_TRUE(deque.empty());
}

TEST_F(invited, a_cleared_deque_is_empty_and_goes_on) {
    batch a = some_batch();
    deque.add(a, 3);
    deque.clear();
    EXPECT_TRUE(deque.empty());
    EXPECT_EQ(deque.steal(any), nullptr);
    deque.add(a, 1);
    EXPECT_EQ(deque.steal(any), &a);
}

class claimed : public ::testing::Test {
  protected:
    static constexpr futex_scope scope = futex_scope::in_process;
    void SetUp() override { asymmetric_fence<scope>::join(); }
};

TEST_F(claimed, at_the_front_by_the_owner_and_at_the_back_by_thieves) {
    claims<scope> items(4);
    EXPECT_TRUE(items.take(0));
    items.enter();
    EXPECT_EQ(items.steal(), 3U);
    EXPECT_FALSE(items.take(1)) << "a thief has entered";
    EXPECT_TRUE(items.contested(1));
    EXPECT_EQ(items.steal(), 2U);
    EXPECT_FALSE(items.steal());
    EXPECT_FALSE(items.contested(2));
}

TEST_F(claimed, the_last_item_goes_to_the_owner_or_to_a_thief) {
    claims<scope> first(1);
    EXPECT_TRUE(first.contested(0));
    first.enter();
    EXPECT_FALSE(first.steal());
    claims<scope> second(1);
    second.enter();
    EXPECT_EQ(second.steal(), 0U);
    EXPECT_FALSE(second.contested(0));
}

// Batch after batch, as a pool does it: a thief enters by a call for help, the owner waits for its end.
TEST_F(claimed, every_item_exactly_once_whenever_thieves_enter) {
    using batch = nested_batch<scope>;
    constexpr std::size_t count = 12;
    constexpr int batches = 30'000;
    help_deque<scope> deque;
    std::array<std::atomic<int>, count> runs{};
    std::atomic<bool> over{false};
    std::atomic<int> by_thieves{0};
    std::vector<std::jthread> thieves;
    for (int i = 0; i < 3; ++i)
        thieves.emplace_back([&] {
            while (!over.load()) {
                if (deque.empty()) continue;
                batch* b = deque.steal([](const batch&) { return true; });
                if (!b) continue;
                b->left.enter();
                while (auto index = b->left.steal()) {
                    runs[*index].fetch_add(1);
                    by_thieves.fetch_add(1);
                }
                b->gone.fetch_add(1);
            }
        });
    for (int k = 0; k < batches || (by_thieves.load() == 0 && k < 100 * batches); ++k) {
        const std::size_t n = 1 + static_cast<std::size_t>(k) % count;
        batch b(policy{}, nullptr, n, nullptr, nullptr, 0, 0);
        for (auto& r : runs) r.store(0);
        const std::size_t invited = deque.add(b, 3);
        std::size_t index = 0;
        for (; index + 1 < n && b.left.take(index); ++index) runs[index].fetch_add(1);
        std::size_t stolen = 0;
        if (index + 1 == n) {
            stolen = deque.retract(invited);
            if (stolen == 0 || b.left.contested(index)) runs[index].fetch_add(1);
        } else {
            for (; index < n && b.left.contested(index); ++index) runs[index].fetch_add(1);
            stolen = deque.retract(invited);
        }
        while (b.gone.load() != stolen) {
        }
        for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(runs[i].load(), 1) << "item " << i << " of " << n;
    }
    over.store(true);
    thieves.clear();
    EXPECT_GT(by_thieves.load(), 0);
}

TEST(atomic_bitset, gives_each_member_to_one_taker) {
    atomic_bitset set(130);
    for (std::size_t i = 0; i < 130; ++i) set.set(i);
    std::vector<std::set<std::size_t>> taken(4);
    std::vector<std::jthread> threads;
    for (auto& mine : taken)
        threads.emplace_back([&] {
            while (auto i = set.take()) mine.insert(*i);
        });
    threads.clear();
    std::size_t sum = 0;
    std::set<std::size_t> together;
    for (auto& some : taken) {
        sum += some.size();
        together.merge(some);
    }
    EXPECT_EQ(sum, 130U);
    EXPECT_EQ(together.size(), 130U);
    EXPECT_FALSE(set.any());
}

TEST(atomic_bitset, has_what_was_set_and_not_cleared) {
    atomic_bitset set(70);
    EXPECT_FALSE(set.any());
    set.set(69);
    EXPECT_TRUE(set.has(69));
    EXPECT_TRUE(set.any());
    set.clear(69);
    EXPECT_FALSE(set.has(69));
    EXPECT_FALSE(set.any());
}

}  // namespace
}  // namespace crossover::pool
