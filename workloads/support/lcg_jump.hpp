// What kernels::lcg_steps must come to, found without walking its steps: for the verifiers.
#pragma once

#include <cstdint>

#include "workloads/support/kernels.hpp"

namespace crossover {

class lcg_jump {
  public:
    // n steps x → a x + b are one such step, too: put together from those of 1, 2, 4, 8, ... steps.
    explicit constexpr lcg_jump(std::uint64_t steps) {
        std::uint64_t power_a = kernels::lcg_a, power_b = kernels::lcg_b;
        for (; steps > 0; steps /= 2) {
            if (steps % 2 == 1) {
                a_ *= power_a;
                b_ = b_ * power_a + power_b;
            }
            power_b *= power_a + 1;
            power_a *= power_a;
        }
    }

    constexpr std::uint64_t operator()(std::uint64_t seed) const { return a_ * seed + b_; }

  private:
    std::uint64_t a_ = 1, b_ = 0;
};

}  // namespace crossover
