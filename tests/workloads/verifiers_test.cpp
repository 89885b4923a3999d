// Tests of the verifiers: correct outputs pass, and a change of any word fails.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/workloads/right_outputs.hpp"

namespace crossover {
namespace {

// What the verifier says, also where it blames the machine.
template <class W>
std::string mistake_in(const typename W::params& p, const outputs_of<W>& outputs) {
    try {
        return W::verify(p, outputs);
    } catch (const timed_out& e) {
        return e.what();
    }
}

template <class W>
class verifier : public ::testing::Test {
  public:
    static constexpr typename W::params params = W::sizes[0].params;
    outputs_of<W> outputs = right_outputs<W>();
};

TYPED_TEST_SUITE(verifier, as_types<all_workloads>::type, name_of_workload);

TYPED_TEST(verifier, accepts_a_right_run) { EXPECT_EQ(TypeParam::verify(this->params, this->outputs), ""); }

TYPED_TEST(verifier, notices_any_word_that_is_wrong) {
    using output = typename TypeParam::output;
    for (output& one : this->outputs) {
        const output right = one;
        for (std::size_t at = 0; at < sizeof(output); at += sizeof(std::uint64_t)) {
            for (const std::uint64_t change : {std::uint64_t{1}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
                std::uint64_t word;
                std::memcpy(&word, reinterpret_cast<const char*>(&right) + at, sizeof word);
                word ^= change;
                std::memcpy(reinterpret_cast<char*>(&one) + at, &word, sizeof word);
                const std::string mistake = mistake_in<TypeParam>(this->params, this->outputs);
                EXPECT_NE(mistake, "") << "word " << at / 8 << " of output " << &one - this->outputs.data();
                EXPECT_EQ(mistake.find('\n'), std::string::npos) << mistake;
                one = right;
            }
        }
    }
}

TYPED_TEST(verifier, notices_outputs_that_nothing_wrote) {
    std::memset(static_cast<void*>(this->outputs.data()), 0xff,
                this->outputs.size() * sizeof this->outputs[0]);
    EXPECT_NE(mistake_in<TypeParam>(this->params, this->outputs), "");
}

TYPED_TEST(verifier, notices_outputs_that_changed_places) {
    if (has_total<TypeParam>) GTEST_SKIP() << "a single output depends on who was faster";
    using output = typename TypeParam::output;
    for (std::size_t i = 1; i < this->outputs.size(); ++i) {
        if (std::memcmp(&this->outputs[0], &this->outputs[i], sizeof(output)) == 0) continue;
        std::swap(this->outputs[0], this->outputs[i]);
        EXPECT_NE(mistake_in<TypeParam>(this->params, this->outputs), "") << "outputs 0 and " << i;
        std::swap(this->outputs[0], this->outputs[i]);
    }
}

TYPED_TEST(verifier, has_sizes_that_begin_with_one_for_tests_and_do_not_repeat) {
    const auto& sizes = TypeParam::sizes;
    EXPECT_EQ(sizes[0].in, exhaustive) << "it is too small to measure";
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k)
            EXPECT_NE(params_text<TypeParam>(sizes[i].params), params_text<TypeParam>(sizes[k].params));
    }
}

// --- The answers of the field

TEST(skynet_of_a_million, owes_the_sum_and_the_units_that_all_suites_state) {
    const skynet::params p{1'000'000};
    EXPECT_EQ(skynet::units(p), 1'111'111U);
    EXPECT_EQ(skynet::verify(p, std::vector<skynet::output>{{499'999'500'000}}), "");
}

TEST(fib_of_30, is_832040) {
    const fib::params p{30};
    EXPECT_EQ(fib::units(p), 2'692'537U);
    EXPECT_EQ(fib::verify(p, std::vector<fib::output>{{832'040}}), "");
}

TEST(nqueens_of_the_field, has_its_known_solutions) {
    for (const auto& [n, solutions] :
         {std::pair<std::uint64_t, std::uint64_t>{8, 92}, {12, 14'200}, {13, 73'712}})
        EXPECT_EQ(nqueens::verify({n}, std::vector<nqueens::output>{{solutions}}), "");
}

TEST(sum_of_squares_below_ten_million, is_that_of_the_tutorials) {
    constexpr std::uint64_t expected = 1291890006563070912U;  // 333333283333335000000 mod 2^64
    const sum_squares::params p{1, 10'000'000};
    EXPECT_EQ(sum_squares::verify(p, std::vector<sum_squares::output>{{expected}}), "");
}

#ifndef __SANITIZE_ADDRESS__  // clang puts a word before each function for UBSan
// Else the linker decides in each bench whether a short loop straddles a cache line, which can halve its
// speed.
TEST(kernels, begin_at_a_cache_line) {
    const auto offset = [](auto* function) { return reinterpret_cast<std::uintptr_t>(function) % 64; };
    EXPECT_EQ(offset(&kernels::sum_of_squares), 0U);
    EXPECT_EQ(offset(&kernels::mandelbrot_row), 0U);
    EXPECT_EQ(offset(&kernels::lcg_steps), 0U);
    EXPECT_EQ(offset(&kernels::row_times_matrix), 0U);
    EXPECT_EQ(offset(&kernels::merge_into), 0U);
}
#endif

TEST(lcg_steps, takes_one_step_after_the_other) {
    std::uint64_t x = 7;
    for (int i = 0; i < 3; ++i) x = x * kernels::lcg_a + kernels::lcg_b;
    EXPECT_EQ(kernels::lcg_steps(7, 3), x);
    EXPECT_EQ(kernels::lcg_steps(7, 0), 7U);
}

TEST(producer_consumer_verifier, knows_what_an_exchanged_pair_adds_up_to) {
    using output = producer_consumer::output;
    // One element lost and another doubled: the count is right, the sum is not.
    const producer_consumer::params p{1, 1, 4, 2};
    EXPECT_EQ(producer_consumer::verify(p, std::vector<output>{{4, 6, 0}, {4, 6, 0}}), "");
    EXPECT_NE(producer_consumer::verify(p, std::vector<output>{{4, 6, 0}, {4, 5, 0 ^ 3 ^ 2}}), "");
}

TEST(crawl_verifier, blames_the_machine_only_for_pages_that_came_too_late) {
    const crawl::params p = crawl::sizes[0].params;
    const crawl::output right = right_outputs<crawl>()[0];
    crawl::output late = right;  // page 19, which links nowhere new
    --late.fine;
    ++late.timed_out;
    late.late += 19;
    EXPECT_THROW(crawl::verify(p, std::vector{late}), timed_out);
    --late.fine;  // and one that it alone leads to was not seen
    EXPECT_THROW(crawl::verify(p, std::vector{late}), timed_out);

    crawl::output lost = right;
    --lost.fine;
    EXPECT_NE(crawl::verify(p, std::vector{lost}), "");
    crawl::output doubled = right;
    ++doubled.timed_out;
    doubled.late += 19;
    EXPECT_NE(crawl::verify(p, std::vector{doubled}), "");
    crawl::output mistaken = right;  // one that does not stall instead of the one that does
    mistaken.late = 12;
    EXPECT_NE(crawl::verify(p, std::vector{mistaken}), "");
    doubled = late;
    ++doubled.failed;
    EXPECT_NE(crawl::verify(p, std::vector{doubled}), "");
}

TEST(timeouts_verifier, blames_the_machine_only_for_calls_that_were_cut_off) {
    const timeouts::params p = timeouts::sizes[0].params;
    const outputs_of<timeouts> right = right_outputs<timeouts>();
    outputs_of<timeouts> seen = right;
    seen[0] = {1, 0, 0, 1};
    EXPECT_THROW(timeouts::verify(p, seen), timed_out);
    seen[0] = {0, 0, 0, 0};
    EXPECT_THROW(timeouts::verify(p, seen), timed_out);
    seen[1] = {1, 0, 0, 0};
    EXPECT_NE(timeouts::verify(p, seen), "") << "a call leaked";
    seen = right;
    seen[p.stalled_every - 1] = {1, 1, 0, 0};
    EXPECT_NE(timeouts::verify(p, seen), "") << "a call that stalls came in time";
}

}  // namespace
}  // namespace crossover
