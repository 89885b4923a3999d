// The elements of a bounded channel, in order of arrival.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "runtimes/contract/arena.hpp"

namespace crossover {

// Lies in the arena, until that is released. One thread at a time.
template <class T>
class bounded_ring {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    bounded_ring(arena& memory, std::size_t capacity) : places_(memory.make_array<T>(capacity)) {}

    bool empty() const { return count_ == 0; }
    bool full() const { return count_ == places_.size(); }

    // Not when full.
    void push(const T& value) {
        const std::size_t at = first_ + count_++;
        places_[at < places_.size() ? at : at - places_.size()] = value;
    }

    // Not when empty.
    T pop() {
        T value = places_[first_];
        if (++first_ == places_.size()) first_ = 0;
        --count_;
        return value;
    }

  private:
    std::span<T> places_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace crossover
