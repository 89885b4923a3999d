// How much memory a process tree holds, without program code and other files: those say more about the page
// cache than about the model. It never uses ru_maxrss, which a program inherits from its launcher.
#pragma once

#include <cstdint>
#include <span>

namespace crossover::bench {

// Of several processes together, in bytes.
struct footprint {
    // The sum of each one's peak of resident memory (VmHWM) since the last forget_peaks: memory that
    // processes share counts in each of them.
    std::uint64_t peak_rss = 0;
    // The sum of proportional set sizes now: shared memory counts once.
    std::uint64_t pss = 0;
};

// Both are about this process and `workers`; one that has ended counts nothing.
void forget_peaks(std::span<const int> workers);
footprint memory_of(std::span<const int> workers);

// What is above an empty bench process. `processes` = 1 + workers: each of them was forked from one.
footprint above(const footprint& empty, const footprint& now, std::size_t processes);

}  // namespace crossover::bench
