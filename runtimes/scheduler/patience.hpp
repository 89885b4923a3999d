// How long an idle worker of a pool looks for work before it sleeps.
#pragma once

#include <chrono>

namespace crossover::pool {

// One worker per core: trees and uneven items want their helpers awake, for about as long as waking takes.
inline constexpr std::chrono::nanoseconds look_on = std::chrono::microseconds(20);

// More workers than cores: one that has nothing to do gives its core away.
inline constexpr std::chrono::nanoseconds sleep_at_once{0};

}  // namespace crossover::pool
