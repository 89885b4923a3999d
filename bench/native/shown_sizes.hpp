// At which size of a workload a full run shows the twins: one that its full list has, cheap, and with tasks
// enough to tell what one costs.
#pragma once

#include "workloads/fetch.hpp"
#include "workloads/fib.hpp"
#include "workloads/skynet.hpp"
#include "workloads/sleepers.hpp"
#include "workloads/sum_squares.hpp"

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
