// Buffers that the kernel fills on its own: lent to it through a ring, queued per descriptor until they are
// read.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace crossover {

class provided_buffers {
  public:
    static constexpr unsigned count = 1024;
    static constexpr std::size_t bytes = 4096;
    static constexpr std::uint16_t group = 0;

    // Received and not yet read, oldest first.
    struct queue {
        bool empty() const noexcept { return length == 0; }
        std::uint16_t first = 0;
        std::uint16_t last = 0;
        std::uint16_t length = 0;
        std::uint16_t offset = 0;  // how much of the first has been read
    };

    provided_buffers() = default;
    provided_buffers(const provided_buffers&) = delete;
    provided_buffers& operator=(const provided_buffers&) = delete;
    ~provided_buffers();

    // Lends all buffers to the kernel. Throws std::system_error.
    void lend_to(io_uring& ring);
    bool lent() const noexcept { return ring_ != nullptr; }

    // How many the kernel still has.
    unsigned free() const noexcept { return free_; }

    // The kernel has filled this one.
    void push(queue& q, std::uint16_t buffer, std::size_t filled) noexcept;
    // Copies as much as there is and fits, and lends again what has been read to its end.
    std::size_t pop(queue& q, std::span<std::byte> to) noexcept;
    void clear(queue& q) noexcept;
    // Lends a buffer again that the kernel handed out for nobody.
    void give_back(std::uint16_t buffer) noexcept;

  private:
    // Not a multiple of the page, so that the beginnings do not all fall into one set of the cache.
    static constexpr std::size_t stride = bytes + 64;

    std::byte* at(std::uint16_t buffer) const noexcept { return memory_.get() + buffer * stride; }
    void pop_first(queue& q) noexcept;

    io_uring_buf_ring* ring_ = nullptr;
    std::unique_ptr<std::byte[]> memory_;
    unsigned free_ = 0;
    struct note {
        std::uint16_t next;
        std::uint16_t filled;
    };
    std::unique_ptr<note[]> notes_;
};

}  // namespace crossover
