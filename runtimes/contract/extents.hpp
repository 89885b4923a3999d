// What a batch consists of: the bytes that its items read, and where each writes its output. For runtimes
// whose workers do not see the caller's memory.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace crossover {

// So many bytes of each item: those of item i begin at first + i * stride. With a stride of 0 all have the
// same. Lies in the arena that the runtime was given.
struct extent {
    std::byte* first;
    std::size_t bytes;
    std::size_t stride;

    std::span<std::byte> of(std::size_t item) const { return {first + item * stride, bytes}; }
};

// Of objects that all items read.
template <class T>
extent read_by_all(const T* first, std::size_t count = 1) {
    static_assert(std::is_trivially_copyable_v<T>, "it could not be copied to a worker");
    return {reinterpret_cast<std::byte*>(const_cast<T*>(first)), count * sizeof(T), 0};
}

// Of `count` objects for each item, which begin at element i * count of an array.
template <class T>
extent of_each(const T* first, std::size_t count = 1) {
    static_assert(std::is_trivially_copyable_v<T>, "it could not be copied to a worker or back");
    return {reinterpret_cast<std::byte*>(const_cast<T*>(first)), count * sizeof(T), count * sizeof(T)};
}

struct extents {
    std::span<const extent> inputs = {};
    std::span<const extent> outputs = {};  // of an item that ended well
};

}  // namespace crossover
