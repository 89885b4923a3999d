// Tests of the number of cores that a bench may use.
#include "bench/meters/cores.hpp"

#include <gtest/gtest.h>

namespace crossover::bench {
namespace {

TEST(cores, at_least_one_is_allowed_and_the_process_can_be_kept_to_one) {
    EXPECT_GE(cores_allowed(), 1U);
    keep_to(1);
    EXPECT_EQ(cores_allowed(), 1U);
    keep_to(64);
    EXPECT_EQ(cores_allowed(), 1U);
}

}  // namespace
}  // namespace crossover::bench
