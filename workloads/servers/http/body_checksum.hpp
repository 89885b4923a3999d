// A 64-bit checksum of a stream of bytes that does not depend on how the stream is cut into pieces.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace crossover {

// The stream is read as little-endian 64-bit words w0, w1, ... (the last one padded with zeros); the checksum
// is the sum of (2k + 1) * wk modulo 2^64. Odd weights keep every bit of every word and tell two exchanged
// words apart. It guards against mistakes, not against malice, and costs about a cycle per eight bytes.
class body_checksum {
  public:
    void add(std::span<const std::byte> bytes) {
        const std::byte* at = bytes.data();
        const std::byte* const end = at + bytes.size();
        while (at != end && position_ % 8 != 0) add_byte(*at++);
        for (std::uint64_t weight = position_ / 8 * 2 + 1; end - at >= 8; at += 8, weight += 2) {
            value_ += weight * word(at);
            position_ += 8;
        }
        while (at != end) add_byte(*at++);
    }

    std::uint64_t value() const { return value_; }
    // Bytes added so far.
    std::uint64_t size() const { return position_; }

  private:
    static_assert(std::endian::native == std::endian::little);

    static std::uint64_t word(const std::byte* at) {
        std::uint64_t w;
        std::memcpy(&w, at, sizeof w);
        return w;
    }

    void add_byte(std::byte b) {
        const std::uint64_t weight = position_ / 8 * 2 + 1;
        value_ += weight * (std::to_integer<std::uint64_t>(b) << (position_ % 8 * 8));
        ++position_;
    }

    std::uint64_t value_ = 0;
    std::uint64_t position_ = 0;
};

}  // namespace crossover
