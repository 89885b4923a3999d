// Memory shared by a process and the workers it forks later: reserved once, at the same address in all of
// them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "runtimes/system/processor.hpp"

namespace crossover {

// A stack of allocations in MAP_SHARED memory. Pages are taken when touched, and given back on release. Only
// the process that made the arena allocates, from one thread; what lies in it (atomics, futex words, rings)
// may be used by everybody.
class arena {
  public:
    // Reserves `bytes` of address space. Throws `refused` when the system does not give it.
    explicit arena(std::size_t bytes = default_bytes);
    ~arena();
    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;

    static constexpr std::size_t default_bytes = std::size_t{16} << 30;

    // Uninitialised memory; throws `refused` when the arena is full.
    void* allocate(std::size_t bytes, std::size_t alignment);

    // A constructed object. Nothing in the arena is destroyed by it: see `scope` and std::destroy_at.
    template <class T, class... Args>
    T* make(Args&&... args) {
        return ::new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    }

    // `count` value-initialised elements.
    template <class T>
    std::span<T> make_array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>, "nobody would destroy the elements");
        T* first = static_cast<T*>(allocate(count * sizeof(T), std::max(alignof(T), cache_line_bytes)));
        std::uninitialized_value_construct_n(first, count);
        return {first, count};
    }

    std::size_t used() const { return used_; }

    // Gives back everything that was allocated since `mark` = used().
    void release(std::size_t mark);

    // In a forked worker: from `mark` (rounded up to a page) on, it has memory of its own at the same
    // addresses, which is empty at first. Throws `refused`.
    void part_from(std::size_t mark);

    bool contains(const void* p) const {
        auto at = static_cast<const std::byte*>(p);
        return at >= base_ && at < base_ + bytes_;
    }

    // Releases at its end what was allocated in its life.
    class scope {
      public:
        explicit scope(arena& memory) : memory_(memory), mark_(memory.used()) {}
        ~scope() { memory_.release(mark_); }
        scope(const scope&) = delete;
        scope& operator=(const scope&) = delete;

      private:
        arena& memory_;
        std::size_t mark_;
    };

  private:
    std::byte* base_;
    std::size_t bytes_;
    std::size_t used_ = 0;
};

}  // namespace crossover
