// Slabs of stacks.
#include "runtimes/fibers/stacks.hpp"

namespace crossover::fiber {

void stacks::map_slab() {
    const auto& slab =
        slabs_.emplace_back(stack_bytes * stacks_per_slab, "no memory for the stacks of fibers");
    free_.reserve(slabs_.size() * stacks_per_slab);  // so that give_back cannot fail
    for (std::size_t i = stacks_per_slab; i > 0; --i) free_.push_back(slab.data() + i * stack_bytes);
}

boost::context::stack_context stacks::take() {
    if (free_.empty()) map_slab();
    boost::context::stack_context stack;
    stack.sp = free_.back();
    stack.size = stack_bytes;
    free_.pop_back();
    return stack;
}

}  // namespace crossover::fiber
