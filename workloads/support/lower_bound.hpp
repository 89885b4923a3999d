// What has to be done for a unit of coordination however it is coordinated, with no model at all and in one
// thread: bounds where the parameters know none. Compiled once, so that it is the same in every bench.
#pragma once

#include <cstdint>

namespace crossover::lower_bound {

// `n` calls, one after the other, of a function that the compiler does not know: going to another task and
// coming back from it are no less.
void calls(std::uint64_t n);

// `n` additions to one number in memory, each of them between taking the only permit and giving it back.
void additions(std::uint64_t n);

// `n` elements through a ring of `capacity`: each is written, counted, read and counted again.
void transfers(std::uint64_t n, std::uint64_t capacity);

// `n` messages of `bytes` through a socket that leads to no other process: one write and one read each.
// Throws what the system refuses.
void messages(std::uint64_t n, std::uint64_t bytes);

}  // namespace crossover::lower_bound
