// The heavy kernels, compiled once and linked into every bench, so that all models run the same machine code.
#pragma once

#include <cstdint>
#include <span>

namespace crossover::kernels {

// The sum of i² for i < n, mod 2⁶⁴, one addition after the other.
std::uint64_t sum_of_squares(std::uint64_t n);

// What one row of a picture of the Mandelbrot set comes to.
struct row_of_pixels {
    std::uint64_t steps;   // of all its pixels together
    std::uint64_t inside;  // pixels that did not escape within the limit
    std::uint64_t hash;    // of the steps of each pixel, in their order
};

// Row `row` of `rows`, which cover [-1.25, 1.25] i, with `width` pixels over [-2, 1], up to `limit` steps
// each. In fixed point, so that every machine and language finds the same numbers: mandelbrot.hpp says how.
row_of_pixels mandelbrot_row(std::uint64_t row, std::uint64_t rows, std::uint64_t width, std::uint64_t limit);

// `steps` steps of x → a x + b mod 2⁶⁴ from `seed`, each of which waits for the one before: a step takes the
// same few cycles anywhere, so a number of steps means an amount of work without a clock.
std::uint64_t lcg_steps(std::uint64_t seed, std::uint64_t steps);

inline constexpr std::uint64_t lcg_a = 6364136223846793005, lcg_b = 1442695040888963407;

// A row of a product: out = row × matrix, both of out.size() columns, the matrix row by row.
void row_times_matrix(std::span<const double> row, const double* matrix, std::span<double> out);

// Sorts `from` into `to`, of equal size.
void sort_into(std::span<const std::uint64_t> from, std::span<std::uint64_t> to);

// Merges two sorted ranges into `to`, which has room for both.
void merge_into(std::span<const std::uint64_t> left, std::span<const std::uint64_t> right,
                std::span<std::uint64_t> to);

}  // namespace crossover::kernels
