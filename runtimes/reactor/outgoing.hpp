// Outgoing data of a stream, copied so that one system call sends many pieces.
#pragma once

#include <liburing.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace crossover {

struct outgoing {
    static constexpr std::size_t most_bytes = 2048;

    std::size_t room() const noexcept { return most_bytes - end; }

    io_uring_sqe* entry = nullptr;  // where to make it longer, in its own round
    std::uint64_t round = 0;        // the ring's, when the entry was made; later the kernel has it
    int fd = -1;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool recalled = false;  // the kernel was asked to give it back
    std::array<std::byte, most_bytes> data;
};

}  // namespace crossover
