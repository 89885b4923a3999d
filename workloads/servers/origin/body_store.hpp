// The part that all item bodies share, built once: words 1, 2, ... of item_body.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "workloads/servers/origin/item_body.hpp"

namespace crossover {

class body_store {
  public:
    body_store()
        : bytes_(new std::byte[largest_body_bytes]) {}  // the kernel gives pages only for what is built

    // The body of `bytes` bytes from byte 8 on (word 0 is the item's own). Stays valid and in place.
    const std::byte* after_first_word(std::uint64_t bytes) {
        while (built_ < bytes) {
            const std::uint64_t word = built_ / 8 * body_step;
            std::memcpy(bytes_.get() + built_, &word, sizeof word);
            built_ += sizeof word;
        }
        return bytes_.get() + 8;
    }

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::uint64_t built_ = 0;
};

}  // namespace crossover
