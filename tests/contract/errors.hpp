// run() throws an item's error with its index and text, whatever the item threw and wherever.
#pragma once

#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

template <class C>
typename C::task plain_thrower(C&, const void* batch, std::size_t i) {
    on<board>(batch).started.fetch_add(1);
    if (i == 37) throw std::runtime_error("thirty-seven");
    on<board>(batch).ended.fetch_add(1);
    return {};
}

template <class C>
typename C::task coroutine_thrower(C&, const void* batch, std::size_t i) {
    auto& b = on<board>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    if (i == 37) throw std::runtime_error("thirty-seven");
    b.ended.fetch_add(1);
    co_return;
}

template <class C>
typename C::task late_thrower(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<board>(batch);
    inside here(b.frames);
    b.started.fetch_add(1);
    co_await ctx.sleep_for(100us);
    if (i == 37) throw std::runtime_error("thirty-seven");
    co_await ctx.sleep_for(100us);
    b.ended.fetch_add(1);
}

template <class R>
void expect_thirty_seven(contract<R>& t, job<typename R::context> thrower) {
    auto b = t.template make<board>();
    std::size_t index = 0;
    EXPECT_EQ(t.error_of(100, thrower, b.get(), policy(8), &index), "thirty-seven");
    EXPECT_EQ(index, 37U);
    EXPECT_EQ(b->started.load(), 100U) << "all_done: the siblings run to their end";
    EXPECT_EQ(b->ended.load(), 99U);
    t.expect_usable();
}

CONTRACT(an_error_of_a_plain_item_comes_out_after_its_siblings_have_ended) {
    expect_thirty_seven(t, &plain_thrower<C>);
}

CONTRACT(an_error_of_a_coroutine_comes_out_after_its_siblings_have_ended) {
    expect_thirty_seven(t, &coroutine_thrower<C>);
}

CONTRACT(an_error_after_a_wait_comes_out_after_its_siblings_have_ended, verb::sleep) {
    expect_thirty_seven(t, &late_thrower<C>);
}

template <class C>
typename C::task always_thrower(C&, const void* batch, std::size_t i) {
    inside here(on<board>(batch).frames);
    on<board>(batch).started.fetch_add(1);
    throw std::runtime_error("item " + std::to_string(i));
    co_return;
}

CONTRACT(of_many_errors_one_comes_out_with_its_own_index) {
    auto b = t.template make<board>();
    std::size_t index = 0;
    std::string text = t.error_of(1'000, &always_thrower<C>, b.get(), policy(64), &index);
    EXPECT_EQ(text, "item " + std::to_string(index));
    EXPECT_EQ(b->started.load(), 1'000U);
    t.expect_usable();
}

template <class C>
typename C::task odd_thrower(C&, const void*, std::size_t i) {
    if (i == 1) throw 42;
    return {};
}

template <class C>
typename C::task long_thrower(C&, const void*, std::size_t i) {
    if (i == 1) throw std::runtime_error(std::string(10'000, 'y'));
    return {};
}

CONTRACT(whatever_an_item_throws_comes_out_as_item_error) {
    std::size_t index = 0;
    EXPECT_NE(t.error_of(3, &odd_thrower<C>, nullptr, policy{}, &index), "");
    EXPECT_EQ(index, 1U);
    EXPECT_TRUE(t.error_of(3, &long_thrower<C>, nullptr, policy{}).starts_with("yyyyyyyyyyyyyyyyyyyy"));
    t.expect_usable();
}

}  // namespace crossover::contract_test
