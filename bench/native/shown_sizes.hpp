// The size at which a full run shows the twins: a cheap one of the full list, with enough tasks to tell what
// one costs.
#pragma once

#include "workloads/cpu/fib.hpp"
#include "workloads/cpu/skynet.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/fetch.hpp"
#include "workloads/io/sleepers.hpp"

namespace crossover::bench::native {

template <class W>
constexpr typename W::params shown_size() = delete;
template <>
constexpr sum_squares::params shown_size<sum_squares>() {
    return {1'000, 10'000};
}
template <>
constexpr fib::params shown_size<fib>() {
    return {20};
}
template <>
constexpr skynet::params shown_size<skynet>() {
    return {10'000};
}
template <>
constexpr sleepers::params shown_size<sleepers>() {
    return {100, 10'000, 100};
}
template <>
constexpr fetch::params shown_size<fetch>() {
    return {320, 16, 1'000, 64};
}

template <class W>
constexpr bool is_shown(const typename W::params& p) {
    constexpr typename W::params shown = shown_size<W>();
    for (const auto& f : W::fields)
        if (p.*f.value != shown.*f.value) return false;
    return true;
}

}  // namespace crossover::bench::native
