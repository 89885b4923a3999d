// The memory of blocking models' coroutine frames: the heap, or a stack of frames that other processes can
// see.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace crossover::blocking {

// A stack of frames in memory that the worker was given. Blocking coroutines end in reverse order of their
// start, so a stack is enough; a process worker needs it because a nested batch lies in the frame of the item
// that started it.
class frames {
  public:
    frames(std::byte* base, std::size_t bytes) : base_(base), next_(base), end_(base + bytes) {}

    static void* allocate(std::size_t bytes) {
        if (frames* mine = current) return mine->take(bytes);
        return ::operator new(bytes);
    }

    static void release(void* frame, std::size_t bytes) {
        if (frames* mine = current)
            mine->give_back(static_cast<std::byte*>(frame), bytes);
        else
            ::operator delete(frame, bytes);
    }

    // Frames alive on this stack.
    std::size_t alive() const { return alive_; }

    // The stack of this thread; null: the heap. Set once, before the worker's first item.
    static inline thread_local frames* current = nullptr;

  private:
    static std::size_t rounded(std::size_t bytes) { return (bytes + 15) & ~std::size_t{15}; }

    void* take(std::size_t bytes) {
        if (rounded(bytes) > static_cast<std::size_t>(end_ - next_)) throw std::bad_alloc();
        ++alive_;
        return std::exchange(next_, next_ + rounded(bytes));
    }

    // A frame that is not on top (destroyed out of order) stays until the stack is empty.
    void give_back(std::byte* frame, std::size_t bytes) {
        if (--alive_ == 0)
            next_ = base_;
        else if (frame + rounded(bytes) == next_)
            next_ = frame;
    }

    std::byte* base_;
    std::byte* next_;
    std::byte* end_;
    std::size_t alive_ = 0;
};

}  // namespace crossover::blocking
