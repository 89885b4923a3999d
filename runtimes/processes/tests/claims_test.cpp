// Shares and invitations under thieves: nothing is lost, nothing is taken twice. Threads stand in for
// processes.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "runtimes/processes/invitations.hpp"
#include "runtimes/processes/share.hpp"
#include "runtimes/processes/worker.hpp"
#include "runtimes/processes/worker_set.hpp"

namespace crossover::processes {
namespace {

TEST(share, is_taken_in_order_by_its_own_worker) {
    share s;
    s.set({3, 6});
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
    s.set({0, 5});
    auto stolen = s.steal();
    ASSERT_TRUE(stolen);
    EXPECT_EQ(stolen->first, 2U);
    EXPECT_EQ(stolen->end, 5U);
    s.set({7, 8});
    EXPECT_EQ(s.steal()->first, 7U) << "the last item can be stolen too";
    EXPECT_FALSE(s.steal());
}

TEST(share, holds_the_most_items_that_are_shared_out_at_once) {
    share s;
    s.set({static_cast<std::uint32_t>(share::limit) - 1, static_cast<std::uint32_t>(share::limit)});
    EXPECT_EQ(s.take([](auto) {}), share::limit - 1);
    EXPECT_FALSE(s.take([](auto) {}));
}

TEST(share, loses_and_doubles_nothing_among_four_thieves) {
    constexpr std::uint32_t items = 200'000;
    std::vector<share> shares(4);
    std::vector<std::atomic<int>> claims(items);
    shares[0].set({0, items});
    std::atomic<std::uint32_t> left{items};
    std::vector<std::jthread> threads;
    for (std::size_t me = 0; me < shares.size(); ++me)
        threads.emplace_back([&, me] {
            while (left.load() != 0) {
                while (auto i = shares[me].take([](auto) {})) {
                    claims[*i].fetch_add(1);
                    left.fetch_sub(1);
                }
                for (std::size_t v = 1; v < shares.size(); ++v)
                    if (auto stolen = shares[(me + v) % shares.size()].steal()) {
                        shares[me].set(*stolen);
                        break;
                    }
            }
        });
    threads.clear();
    for (const auto& c : claims) ASSERT_EQ(c.load(), 1);
}

class invited : public ::testing::Test {
  protected:
    static group some_group() { return group(policy{}, nullptr, 1, nullptr, nullptr, 0, 0); }
    static bool any(const group&) { return true; }
    invitations deque;
};

TEST_F(invited, thieves_get_the_oldest_and_the_owner_the_newest) {
    group a = some_group();
    group b = some_group();
    EXPECT_EQ(deque.add(a, 2), 2U);
    EXPECT_EQ(deque.add(b, 3), 3U);
    EXPECT_EQ(deque.steal(any), &a);
    EXPECT_EQ(deque.retract(3), 0U);
    EXPECT_EQ(deque.steal(any), &a);
    EXPECT_EQ(deque.retract(2), 2U) << "both of the first batch were stolen";
    EXPECT_TRUE(deque.empty());
}

TEST_F(invited, an_unwanted_invitation_stays) {
    group a = some_group();
    deque.add(a, 1);
    EXPECT_EQ(deque.steal([](const group&) { return false; }), nullptr);
    EXPECT_EQ(deque.retract(1), 0U);
}

TEST_F(invited, a_full_deque_takes_fewer) {
    group a = some_group();
    EXPECT_EQ(deque.add(a, 5'000), 1'024U);
    EXPECT_EQ(deque.add(a, 1), 0U);
    EXPECT_EQ(deque.steal(any), &a);
    EXPECT_EQ(deque.add(a, 2), 1U);
    EXPECT_EQ(deque.retract(1'025), 1U);
}

TEST_F(invited, what_is_retracted_and_what_is_stolen_make_up_what_was_added) {
    group a = some_group();
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

TEST(worker_set, gives_each_member_to_one_taker) {
    worker_set set;
    set.reset(worker_set::first(64));
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
    EXPECT_EQ(sum, 64U);
    EXPECT_EQ(together.size(), 64U);
}

TEST(worker_set, clears_unless_the_set_is_refused) {
    worker_set set;
    set.set(1);
    set.set(63);
    EXPECT_FALSE(set.clear_unless(1, [](std::uint64_t) { return true; }));
    EXPECT_TRUE(set.has(1));
    EXPECT_TRUE(set.clear_unless(1, [](std::uint64_t) { return false; }));
    EXPECT_FALSE(set.clear_unless(1, [](std::uint64_t) { return false; })) << "it is no member any more";
    EXPECT_TRUE(set.has(63));
}

}  // namespace
}  // namespace crossover::processes
