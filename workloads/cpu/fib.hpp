// fib: what does a task cost when it does next to nothing but fork and join?
#pragma once

#include "workloads/contract/workload.hpp"

namespace crossover {

// The field's fib: a task per call, no cut-off.
struct fib {
    static constexpr std::string_view name = "fib";
    static constexpr std::string_view question =
        "what does a task cost when it does next to nothing but fork and join?";
    static constexpr work_class kind = work_class::cpu;
    static constexpr std::string_view unit = "calls";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "serial time / cores";
    static constexpr std::array needs{verb::fork};

    struct params {
        std::uint64_t n;
    };
    static constexpr std::array fields{field<params>{"n", &params::n, 1, 45}};
    static constexpr std::array sizes{size<params>{{12}, exhaustive}, size<params>{{20}, quick},
                                      size<params>{{25}, full}, size<params>{{27}, full},
                                      size<params>{{30}, exhaustive}};

    struct node {
        std::uint64_t n;
    };
    struct output {
        std::uint64_t value;
    };
    static constexpr std::size_t max_children = 2;

    static node root(const params& p) { return {p.n}; }

    static std::size_t split(const params&, const node& call, std::span<node> children, output& leaf) {
        if (call.n < 2) {
            leaf.value = call.n;
            return 0;
        }
        children[0].n = call.n - 1;
        children[1].n = call.n - 2;
        return 2;
    }

    static output join(const params&, const node&, std::span<const output> parts) {
        return {parts[0].value + parts[1].value};
    }

    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }

    // A call with n ≥ 2 makes two more: 2 fib(n+1) − 1 calls in all.
    static std::uint64_t units(const params& p) { return 2 * number(p.n + 1) - 1; }

    static std::string verify(const params& p, std::span<const output> outputs) {
        if (outputs[0].value == number(p.n)) return {};
        return "fib(" + std::to_string(p.n) + ") is not " + std::to_string(outputs[0].value);
    }

  private:
    static std::uint64_t number(std::uint64_t n) {
        std::uint64_t a = 0, b = 1;
        for (; n > 0; --n) {
            std::uint64_t next = a + b;
            a = b;
            b = next;
        }
        return a;
    }
};

}  // namespace crossover
