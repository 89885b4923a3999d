// Slabs of stacks by mmap.
#include "runtimes/fibers/stacks.hpp"

#include <sys/mman.h>

#include <cerrno>

#include "runtimes/system/limits/limits.hpp"

namespace crossover::fiber {

stacks::~stacks() {
    for (void* slab : slabs_) ::munmap(slab, stack_bytes * stacks_per_slab);
}

void stacks::map_slab() {
    void* slab = ::mmap(nullptr, stack_bytes * stacks_per_slab, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab == MAP_FAILED) refuse_worker(errno, "no memory for the stacks of fibers");
    slabs_.push_back(slab);
    free_.reserve(slabs_.size() * stacks_per_slab);  // so that give_back cannot fail
    for (std::size_t i = stacks_per_slab; i > 0; --i)
        free_.push_back(static_cast<std::byte*>(slab) + i * stack_bytes);
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
