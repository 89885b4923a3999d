// The permit that a semaphore gives to an item.
#pragma once

#include <utility>

namespace crossover {

// Calls release() of its semaphore when destroyed.
template <class Semaphore>
class [[nodiscard]] permit {
  public:
    explicit permit(Semaphore& from) noexcept : from_(&from) {}
    permit(permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
    permit& operator=(permit&& other) noexcept {
        std::swap(from_, other.from_);
        return *this;
    }
    ~permit() {
        if (from_) from_->release();
    }

  private:
    Semaphore* from_;
};

}  // namespace crossover
