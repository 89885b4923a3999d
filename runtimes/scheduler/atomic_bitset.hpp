// A set of workers, visible to all threads or processes.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace crossover::pool {

class atomic_bitset {
  public:
    static constexpr std::size_t capacity = 1024;

    // An empty set of the workers 0 to `size` - 1.
    explicit atomic_bitset(std::size_t size) : words_((size + 63) / 64) {}

    bool has(std::size_t i) const { return (word(i).load(std::memory_order_seq_cst) & bit(i)) != 0; }
    bool any() const {
        for (std::size_t w = 0; w < words_; ++w)
            if (bits_[w].load(std::memory_order_seq_cst) != 0) return true;
        return false;
    }

    void set(std::size_t i) { word(i).fetch_or(bit(i), std::memory_order_seq_cst); }
    void clear(std::size_t i) { word(i).fetch_and(~bit(i), std::memory_order_seq_cst); }

    // Removes one member and names it.
    std::optional<std::size_t> take() {
        for (std::size_t w = 0; w < words_; ++w) {
            std::uint64_t now = bits_[w].load(std::memory_order_seq_cst);
            while (now)
                if (bits_[w].compare_exchange_weak(now, now & (now - 1), std::memory_order_seq_cst))
                    return w * 64 + static_cast<std::size_t>(std::countr_zero(now));
        }
        return std::nullopt;
    }

  private:
    static std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << (i % 64); }
    std::atomic<std::uint64_t>& word(std::size_t i) { return bits_[i / 64]; }
    const std::atomic<std::uint64_t>& word(std::size_t i) const { return bits_[i / 64]; }

    std::size_t words_;
    std::array<std::atomic<std::uint64_t>, capacity / 64> bits_{};
};

}  // namespace crossover::pool
