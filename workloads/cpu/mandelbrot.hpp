// mandelbrot: who keeps all cores busy when some items take many times longer than others?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/kernels.hpp"

namespace crossover {

// An item is a row of the picture: rows through the set take many times longer than rows beside it. Numbers
// are integers of 2⁻²⁸; a product is shifted right by 28 bits, rounding down; a pixel escapes when |z|² > 4.
struct mandelbrot {
    static constexpr std::string_view name = "mandelbrot";
    static constexpr std::string_view question =
        "who keeps all cores busy when some items take many times longer than others?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "rows";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array<verb, 0> needs{};

    struct params {
        std::uint64_t rows, width, limit;
    };
    static constexpr std::array fields{field<params>{"rows", &params::rows, 24, 100'000},
                                       field<params>{"width", &params::width, 32, 100'000},
                                       field<params>{"limit", &params::limit, 50, 1'000'000}};
    static constexpr std::array sizes{
        size<params>{{24, 36, 100}, exhaustive}, size<params>{{64, 256, 500}, quick},
        size<params>{{512, 512, 500}, full}, size<params>{{1'024, 64, 200}, exhaustive}};

    using output = kernels::row_of_pixels;

    static std::size_t items(const params& p) { return p.rows; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    static void item(const params& p, std::size_t i, output& out) {
        out = kernels::mandelbrot_row(i, p.rows, p.width, p.limit);
    }

    // Every row again by another way, and the area of the set, which is known.
    static std::string verify(const params& p, std::span<const output> outputs) {
        std::uint64_t inside = 0;
        for (std::size_t row = 0; row < outputs.size(); ++row) {
            const output& out = outputs[row];
            const output expected = row_with_factors(p, row);
            if (out.steps != expected.steps || out.inside != expected.inside || out.hash != expected.hash)
                return "row " + std::to_string(row) + " took " + std::to_string(out.steps) + " steps, not " +
                       std::to_string(expected.steps) + ", or other pixels took them";
            inside += out.inside;
        }
        const double area = 7.5 * static_cast<double>(inside) / static_cast<double>(p.rows * p.width);
        if (area > 1.4 && area < 1.8) return {};
        return "the set has an area of " + std::to_string(area) + ", not of about 1.51";
    }

  private:
    // In exact integers x² − y² = (x + y)(x − y) and 2xy = (x + y)² − x² − y², so nothing rounds differently.
    static output row_with_factors(const params& p, std::uint64_t row) {
        using number = std::int64_t;
        const number rows = static_cast<number>(p.rows), width = static_cast<number>(p.width);
        const number ci = (number{5} << 26) * (2 * static_cast<number>(row) + 1 - rows) / rows;
        output out{};
        for (number column = 0; column < width; ++column) {
            const number cr = (number{3} << 28) * (2 * column + 1) / (2 * width) - (number{2} << 28);
            number re = 0, im = 0;
            std::uint64_t left = p.limit;
            while (left > 0 && re * re <= (number{1} << 58) - im * im) {
                const number both = re + im, apart = re - im;
                im = ((both * both - re * re - im * im) >> 28) + ci;
                re = ((both * apart) >> 28) + cr;
                --left;
            }
            out.steps += p.limit - left;
            if (left == 0) ++out.inside;
            out.hash = out.hash * 0x100000001b3 + (p.limit - left);
        }
        return out;
    }
};

}  // namespace crossover
