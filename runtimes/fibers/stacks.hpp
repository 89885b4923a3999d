// Stacks for fibers: cut from large mappings, kept for the next fiber, the most recently used first.
#pragma once

#include <algorithm>
#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <vector>

#include "runtimes/system/private_pages.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover::fiber {

// A page of a stack becomes memory only when touched, and the list of free stacks lies outside them, so a
// fiber that waits costs the pages that it used. No guard pages: each would cost two of the 65,530 mappings
// that a process may have. One thread; outlives the fibers.
class stacks {
  public:
    // 64 KiB holds the deepest item (an HTTP reply parsed by Beast) four times over.
    static constexpr std::size_t stack_bytes = 64 * 1024;

    // Of these an item that only waits has touched two pages, one that fetches three.
    static std::size_t touched_bytes() { return std::min(stack_bytes, 3 * page_bytes()); }

    stacks() = default;
    stacks(const stacks&) = delete;
    stacks& operator=(const stacks&) = delete;

    // Throws `refused` when the system gives no more memory.
    boost::context::stack_context take();
    void give_back(boost::context::stack_context& stack) noexcept { free_.push_back(stack.sp); }

    std::size_t in_use() const { return slabs_.size() * stacks_per_slab - free_.size(); }

    // What Boost.Fiber wants to be given: a copyable handle.
    class allocator {
      public:
        explicit allocator(stacks& from) : from_(&from) {}
        boost::context::stack_context allocate() { return from_->take(); }
        void deallocate(boost::context::stack_context& stack) noexcept { from_->give_back(stack); }

      private:
        stacks* from_;
    };

  private:
    static constexpr std::size_t stacks_per_slab = 256;

    void map_slab();

    std::vector<private_pages> slabs_;
    std::vector<void*> free_;  // the upper ends
};

}  // namespace crossover::fiber
