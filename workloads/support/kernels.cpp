// One loop per kernel.
#include "workloads/support/kernels.hpp"

#include <algorithm>

namespace crossover::kernels {

std::uint64_t sum_of_squares(std::uint64_t n) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
        sum += i * i;
        asm volatile("" : "+r"(sum));  // opaque: else a compiler replaces the loop by its closed form
    }
    return sum;
}

row_of_pixels mandelbrot_row(std::uint64_t row, std::uint64_t rows, std::uint64_t width,
                             std::uint64_t limit) {
    constexpr int point = 28;
    constexpr std::int64_t one = std::int64_t{1} << point;
    constexpr std::int64_t four = 4 * one * one;
    const auto centre = static_cast<std::int64_t>(2 * row + 1) - static_cast<std::int64_t>(rows);
    const std::int64_t cy = 5 * one / 4 * centre / static_cast<std::int64_t>(rows);
    row_of_pixels out{0, 0, 0};
    for (std::uint64_t column = 0; column < width; ++column) {
        const auto right = static_cast<std::int64_t>(2 * column + 1);
        const std::int64_t cx = 3 * one * right / static_cast<std::int64_t>(2 * width) - 2 * one;
        std::int64_t x = 0, y = 0;
        std::uint64_t steps = 0;
        for (; steps < limit; ++steps) {
            const std::int64_t xx = x * x, yy = y * y;
            if (xx + yy > four) break;
            y = (2 * x * y >> point) + cy;
            x = ((xx - yy) >> point) + cx;
        }
        out.steps += steps;
        out.inside += steps == limit;
        out.hash = out.hash * 0x100000001b3 + steps;
    }
    return out;
}

std::uint64_t lcg_steps(std::uint64_t seed, std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) {
        seed = seed * lcg_a + lcg_b;
        asm volatile("" : "+r"(seed));  // opaque: else two steps may be folded into one
    }
    return seed;
}

void row_times_matrix(std::span<const double> row, const double* matrix, std::span<double> out) {
    std::ranges::fill(out, 0);
    for (std::size_t k = 0; k < row.size(); ++k)
        for (std::size_t j = 0; j < out.size(); ++j) out[j] += row[k] * matrix[k * out.size() + j];
}

void sort_into(std::span<const std::uint64_t> from, std::span<std::uint64_t> to) {
    std::ranges::copy(from, to.begin());
    std::ranges::sort(to);
}

void merge_into(std::span<const std::uint64_t> left, std::span<const std::uint64_t> right,
                std::span<std::uint64_t> to) {
    std::ranges::merge(left, right, to.begin());
}

}  // namespace crossover::kernels
