// Runtimes whose workers work on copies: they see only the declared extents of the caller's memory, and the
// caller sees only theirs.
#pragma once

#include <array>
#include <stdexcept>

#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

// As CONTRACT, for such runtimes.
#define CONTRACT_OF_COPIES(sentence)                                                             \
    template <class R, class C>                                                                  \
    void sentence(contract<R>& t);                                                               \
    TYPED_TEST(contract, sentence) {                                                             \
        if constexpr (copies_batches<TypeParam>)                                                 \
            ::crossover::contract_test::sentence<TypeParam, typename TypeParam::context>(*this); \
        else                                                                                     \
            GTEST_SKIP() << "its workers share the memory of the caller";                        \
    }                                                                                            \
    template <class R, class C>                                                                  \
    void sentence(contract<R>& t)

// What an item finds, in its own copy.
struct findings {
    std::uint64_t common, mine, others, undescribed;
};

struct copied_slot {
    std::uint64_t before = 77;  // no part of the output
    findings out{};
    std::uint64_t after = 77;
};

// In the runtime's own arena.
struct copied_batch {
    std::uint64_t common = 0;
    std::span<std::uint64_t> of_items;
    std::uint64_t* undescribed = nullptr;
    std::span<copied_slot> slots;
};

template <class R>
class copied {
  public:
    copied(contract<R>& t, std::size_t n) : here_(t.of_runtime), runtime_(t.runtime) {
        batch = t.of_runtime.template make<copied_batch>();
        batch->common = 5;
        batch->of_items = t.of_runtime.template make_array<std::uint64_t>(n);
        for (std::size_t i = 0; i < n; ++i) batch->of_items[i] = 100 + i;
        batch->undescribed = t.of_runtime.template make<std::uint64_t>(9);
        batch->slots = t.of_runtime.template make_array<copied_slot>(n);
    }

    void run(job<typename R::context> each, policy rules = policy{}) {
        const std::array inputs{read_by_all(batch), of_each(batch->of_items.data())};
        extent out = of_each(batch->slots.data());
        out.first += offsetof(copied_slot, out);
        out.bytes = sizeof(findings);
        const std::array outputs{out};
        runtime_.run(batch->slots.size(), each, batch, rules, extents{inputs, outputs});
    }

    copied_batch* batch;

  private:
    arena::scope here_;
    R& runtime_;
};

// Item i looks at the input of item i + 1 as well, which it has not been sent.
template <class C>
typename C::task looks_around(C&, const void* batch, std::size_t i) {
    auto& b = on<copied_batch>(batch);
    const std::size_t next = i + 1 < b.of_items.size() ? i + 1 : i;
    b.slots[i].out = {b.common, b.of_items[i], b.of_items[next], *b.undescribed};
    return {};
}

CONTRACT_OF_COPIES(items_read_what_the_batch_was_said_to_consist_of_and_nothing_else) {
    constexpr std::size_t n = 100;
    for (std::uint64_t round = 0; round < 3; ++round) {
        copied<R> all(t, n);
        all.batch->common = 5 + round;
        // One at a time, and so by one worker: the inputs of items before are there, those of items to come
        // are not.
        all.run(&looks_around<C>, policy(1));
        for (std::size_t i = 0; i < n; ++i) {
            const findings& out = all.batch->slots[i].out;
            EXPECT_EQ(out.common, 5 + round);
            EXPECT_EQ(out.mine, 100 + i);
            EXPECT_EQ(out.undescribed, 0U) << "it lies in memory of the caller";
            if (round == 0 && i + 1 < n) {
                EXPECT_EQ(out.others, 0U);
            }
        }
    }
}

template <class C>
typename C::task writes_everywhere(C&, const void* batch, std::size_t i) {
    auto& b = on<copied_batch>(batch);
    const std::size_t n = b.slots.size();
    b.common = 1'000;
    *b.undescribed = 1'000;
    b.of_items[i] = 1'000;
    b.slots[(i + 1) % n].out.common = 1'000;
    b.slots[i].before = b.slots[i].after = 1'000;
    b.slots[i].out = {i, i, i, i};
    return {};
}

CONTRACT_OF_COPIES(what_items_write_outside_their_outputs_is_not_seen) {
    constexpr std::size_t n = 100;
    copied<R> all(t, n);
    all.run(&writes_everywhere<C>);
    EXPECT_EQ(all.batch->common, 5U);
    EXPECT_EQ(*all.batch->undescribed, 9U);
    for (std::size_t i = 0; i < n; ++i) {
        const copied_slot& slot = all.batch->slots[i];
        EXPECT_EQ(all.batch->of_items[i], 100 + i);
        EXPECT_EQ(slot.before, 77U);
        EXPECT_EQ(slot.after, 77U);
        EXPECT_EQ(slot.out.common, i);
        EXPECT_EQ(slot.out.undescribed, i);
    }
}

template <class C>
typename C::task odd_ones_fail(C&, const void* batch, std::size_t i) {
    on<copied_batch>(batch).slots[i].out.mine = 1;
    if (i % 2 == 1) throw std::runtime_error("odd");
    return {};
}

CONTRACT_OF_COPIES(an_item_that_fails_leaves_no_output) {
    copied<R> all(t, 10);
    EXPECT_THROW(all.run(&odd_ones_fail<C>), item_error);
    for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(all.batch->slots[i].out.mine, i % 2 == 0 ? 1U : 0U);
}

struct large {
    std::span<std::uint64_t> common, of_items, outputs;
};

constexpr std::size_t large_words = 300'000;  // more than a socket holds

template <class C>
typename C::task adds_up(C&, const void* batch, std::size_t i) {
    auto& b = on<large>(batch);
    for (std::size_t k = i * large_words; k < (i + 1) * large_words; ++k)
        b.outputs[k] = b.of_items[k] + b.common[k % large_words];
    return {};
}

CONTRACT_OF_COPIES(inputs_and_outputs_may_be_larger_than_what_a_worker_is_sent_at_once) {
    constexpr std::size_t n = 6;
    const arena::scope here(t.of_runtime);
    auto* b = t.of_runtime.template make<large>();
    b->common = t.of_runtime.template make_array<std::uint64_t>(large_words);
    b->of_items = t.of_runtime.template make_array<std::uint64_t>(n * large_words);
    b->outputs = t.of_runtime.template make_array<std::uint64_t>(n * large_words);
    for (std::size_t k = 0; k < large_words; ++k) b->common[k] = k;
    for (std::size_t k = 0; k < n * large_words; ++k) b->of_items[k] = k * k;
    const std::array inputs{read_by_all(b), read_by_all(b->common.data(), large_words),
                            of_each(b->of_items.data(), large_words)};
    const std::array outputs{of_each(b->outputs.data(), large_words)};
    t.runtime.run(n, &adds_up<C>, b, policy{}, extents{inputs, outputs});
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < n * large_words; ++k) wrong += b->outputs[k] != k * k + k % large_words;
    EXPECT_EQ(wrong, 0U);
}

}  // namespace crossover::contract_test
