// A FIFO in one reused piece of memory: unlike std::deque it allocates only to grow.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace crossover::asyncio {

// Moves of T must not throw. Memory is kept until the end.
template <class T>
class ring {
  public:
    ring() = default;
    ring(const ring&) = delete;
    ring& operator=(const ring&) = delete;
    ~ring() {
        while (size_ != 0) pop_front();
        if (capacity_ != 0) std::allocator<T>().deallocate(values_, capacity_);
    }

    std::size_t size() const noexcept { return size_; }

    void push_back(T value) {
        if (size_ == capacity_) grow();
        std::construct_at(at(size_), std::move(value));
        ++size_;
    }
    // Precondition: not empty.
    T pop_front() noexcept {
        T* const first = at(0);
        T value = std::move(*first);
        std::destroy_at(first);
        begin_ = (begin_ + 1) & (capacity_ - 1);
        --size_;
        return value;
    }

  private:
    T* at(std::size_t i) const noexcept { return values_ + ((begin_ + i) & (capacity_ - 1)); }

    [[gnu::cold]] void grow() {
        const std::size_t bigger = capacity_ ? capacity_ * 2 : 8;  // always a power of two
        T* const fresh = std::allocator<T>().allocate(bigger);
        for (std::size_t i = 0; i < size_; ++i) {
            std::construct_at(fresh + i, std::move(*at(i)));
            std::destroy_at(at(i));
        }
        if (capacity_ != 0) std::allocator<T>().deallocate(values_, capacity_);
        values_ = fresh;
        capacity_ = bigger;
        begin_ = 0;
    }

    T* values_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
};

}  // namespace crossover::asyncio
