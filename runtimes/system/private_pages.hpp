// Memory that the system gives page by page, each when it is first touched.
#pragma once

#include <cstddef>
#include <utility>

namespace crossover {

// Of this process alone, owned. No allocation of the heap: that costs as much as it is large under a
// sanitizer, which marks every byte.
class private_pages {
  public:
    // Throws `refused`, with the limits, when the system gives no such address space; `use` says what it was
    // for.
    private_pages(std::size_t bytes, const char* use);
    ~private_pages();
    private_pages(private_pages&& other) noexcept
        : base_(std::exchange(other.base_, nullptr)), bytes_(other.bytes_) {}
    private_pages& operator=(private_pages&&) = delete;

    std::byte* data() const { return base_; }

  private:
    std::byte* base_;
    std::size_t bytes_;
};

}  // namespace crossover
