// A set of workers that all processes see: one word, so that "everybody rests" is one atomic fact.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace crossover::processes {

class worker_set {
  public:
    static constexpr std::size_t capacity = 64;

    static constexpr std::uint64_t only(std::size_t i) { return std::uint64_t{1} << i; }
    static constexpr std::uint64_t first(std::size_t n) {
        return n >= capacity ? ~std::uint64_t{0} : only(n) - 1;
    }

    std::uint64_t bits() const { return bits_.load(std::memory_order_seq_cst); }
    bool has(std::size_t i) const { return (bits() & only(i)) != 0; }
    bool any() const { return bits() != 0; }

    // Each returns the members before.
    std::uint64_t set(std::size_t i) { return bits_.fetch_or(only(i), std::memory_order_seq_cst); }
    std::uint64_t clear(std::size_t i) { return bits_.fetch_and(~only(i), std::memory_order_seq_cst); }

    // Removes `i` unless the set then changed to one that `refuses`; true when removed here.
    template <class Refuses>
    bool clear_unless(std::size_t i, Refuses refuses) {
        std::uint64_t now = bits();
        while ((now & only(i)) && !refuses(now))
            if (bits_.compare_exchange_weak(now, now & ~only(i), std::memory_order_seq_cst)) return true;
        return false;
    }

    // Removes one member and names it.
    std::optional<std::size_t> take() {
        std::uint64_t now = bits();
        while (now) {
            auto lowest = static_cast<std::size_t>(std::countr_zero(now));
            if (bits_.compare_exchange_weak(now, now & (now - 1), std::memory_order_seq_cst)) return lowest;
        }
        return std::nullopt;
    }

    void reset(std::uint64_t members = 0) { bits_.store(members, std::memory_order_seq_cst); }

  private:
    std::atomic<std::uint64_t> bits_{0};
};

// Calls visit(i) for each member.
template <class Visit>
void for_each(std::uint64_t members, Visit visit) {
    for (; members; members &= members - 1) visit(static_cast<std::size_t>(std::countr_zero(members)));
}

}  // namespace crossover::processes
