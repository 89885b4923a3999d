// Tests the order in which fibers run: trees depth first, but every fiber gets its turn.
#include <gtest/gtest.h>

#include <atomic>

#include "runtimes/fibers/fibers.hpp"
#include "runtimes/fibers/fibers_multi.hpp"

namespace crossover {
namespace {

template <class R>
class order_of_fibers : public testing::Test {
  protected:
    arena memory;
};
using both = testing::Types<fibers, fibers_multi>;
TYPED_TEST_SUITE(order_of_fibers, both);

struct tree {
    std::size_t depth;
    std::atomic<std::size_t>* alive;
    std::atomic<std::size_t>* most;
};

template <class C>
typename C::task grow(C& ctx, const void* batch, std::size_t) {
    const auto& mine = *static_cast<const tree*>(batch);
    const std::size_t now = mine.alive->fetch_add(1) + 1;
    for (std::size_t most = mine.most->load(); most < now && !mine.most->compare_exchange_weak(most, now);)
        continue;
    if (mine.depth > 0) {
        const tree below{mine.depth - 1, mine.alive, mine.most};
        const policy rules;
        co_await ctx.run(2, &grow<C>, &below, rules);
    }
    mine.alive->fetch_sub(1);
}

TYPED_TEST(order_of_fibers, keeps_few_items_of_a_big_tree_alive) {
    TypeParam runtime(options{2, &this->memory});
    std::atomic<std::size_t> alive{0}, most{0};
    const tree root{15, &alive, &most};
    runtime.run(1, &grow<typename TypeParam::context>, &root, policy{});
    EXPECT_EQ(0U, alive.load());
    EXPECT_GE(most.load(), 16U);
    EXPECT_LT(most.load(), 400U) << "of 65,535 items";
}

struct crowd {
    std::atomic<bool> over{false};
    std::atomic<std::size_t> turns{0};
};

template <class C>
typename C::task does_nothing(C&, const void*, std::size_t) {
    return {};
}

template <class C>
typename C::task yields_or_starts_many(C& ctx, const void* batch, std::size_t i) {
    auto& with = *static_cast<crowd*>(const_cast<void*>(batch));
    if (i == 0) {
        while (!with.over.load()) {
            with.turns.fetch_add(1);
            co_await ctx.yield();
        }
    } else {
        const policy rules;
        co_await ctx.run(10'000, &does_nothing<C>, batch, rules);
        with.over.store(true);
    }
}

TYPED_TEST(order_of_fibers, gives_others_their_turn_while_an_item_starts_many) {
    TypeParam runtime(options{1, &this->memory});
    crowd all;
    runtime.run(2, &yields_or_starts_many<typename TypeParam::context>, &all, policy{});
    EXPECT_GE(all.turns.load(), 100U);
}

}  // namespace
}  // namespace crossover
