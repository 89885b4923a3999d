// Stacks for fibers of one thread, kept for the next fiber.
#pragma once

#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <cstddef>

namespace crossover::bench::native {

inline constexpr std::size_t fiber_stack_bytes = 64 * 1024;  // as the suite's fibers have

// The calling thread's. They outlive a sample, as the suite's do.
inline boost::fibers::pooled_fixedsize_stack& fiber_stacks() {
    static thread_local boost::fibers::pooled_fixedsize_stack stacks(fiber_stack_bytes);
    return stacks;
}

}  // namespace crossover::bench::native
