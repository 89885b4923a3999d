// Tests of percentiles from recorded latencies.
#include "workloads/servers/load/latency_buckets.hpp"

#include <gtest/gtest.h>

namespace crossover {
namespace {

TEST(latency_buckets, are_at_most_three_percent_wide_and_hold_what_they_claim) {
    for (std::uint64_t ns = 1; ns < latency_buckets::largest_ns; ns += ns / 7 + 1) {
        latency_buckets one;
        one.record(ns);
        const auto filled = one.filled();
        ASSERT_EQ(filled.size(), 1U);
        EXPECT_EQ(filled[0].second, 1U);
        EXPECT_GE(filled[0].first, ns);
        EXPECT_LE(static_cast<double>(filled[0].first), static_cast<double>(ns) * 1.032);
        EXPECT_EQ(one.most(), filled[0].first);
    }
}

TEST(latency_buckets, put_what_is_stored_back_where_it_was) {
    latency_buckets first, again;
    for (std::uint64_t ns = 3; ns < 1'000'000'000; ns *= 3) first.add(ns, ns % 5 + 1);
    for (const auto& [upper, count] : first.filled()) again.add(upper, count);
    EXPECT_EQ(again.filled(), first.filled());
}

TEST(latency_buckets, know_a_percentile_only_with_ten_samples_beyond) {
    latency_buckets seen;
    for (int i = 0; i < 999; ++i) seen.record(1'000);
    EXPECT_TRUE(seen.percentile(0.5));
    EXPECT_FALSE(seen.percentile(0.999));
    seen.record(1'000'000);
    EXPECT_EQ(seen.percentile(0.99), 1'007U) << "10 of 1,000 lie beyond it";
    for (int i = 0; i < 8'999; ++i) seen.record(1'000);
    EXPECT_FALSE(seen.percentile(0.999)) << "of 9,999";
    seen.record(1'000);
    EXPECT_TRUE(seen.percentile(0.999));
    EXPECT_FALSE(latency_buckets().percentile(0.5));
}

TEST(latency_buckets, find_the_percentiles_of_a_known_distribution) {
    latency_buckets seen;
    for (std::uint64_t i = 1; i <= 100'000; ++i) seen.record(i * 1'000);
    for (const double q : {0.5, 0.9, 0.99, 0.999}) {
        ASSERT_TRUE(seen.percentile(q));
        EXPECT_NEAR(static_cast<double>(*seen.percentile(q)), q * 1e8, 0.032 * q * 1e8);
    }
    EXPECT_NEAR(static_cast<double>(seen.beyond(90'000'000)), 10'000, 3'000);
}

TEST(latency_buckets, count_what_lasts_for_ever_as_the_longest) {
    latency_buckets seen;
    seen.record(~std::uint64_t{0});
    EXPECT_EQ(seen.most(), latency_buckets::largest_ns);
    seen.clear();
    EXPECT_EQ(seen.count(), 0U);
}

}  // namespace
}  // namespace crossover
