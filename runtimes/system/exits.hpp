// The exit codes of all programs.
#pragma once

namespace crossover::exits {

inline constexpr int fine = 0, usage = 2, environment = 3, cell_failed = 4, nothing_matched = 6;

}  // namespace crossover::exits
