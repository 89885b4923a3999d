// A checksum over the outputs of a cell: equal for all models that did the same work.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "workloads/workload.hpp"

namespace crossover::bench {

// Adds all bytes of a value to a running checksum (FNV-1a, eight bytes at a time).
template <class Value>
std::uint64_t stirred(std::uint64_t sum, const Value& value) {
    static_assert(std::has_unique_object_representations_v<Value>,
                  "padding would make the checksum random: add members for it");
    static_assert(sizeof(Value) % 8 == 0);
    std::uint64_t words[sizeof(Value) / 8];
    std::memcpy(words, &value, sizeof value);
    for (std::uint64_t word : words) {
        sum = (sum ^ word) * 0x100000001b3;
        sum ^= sum >> 29;
    }
    return sum;
}

template <class W>
std::uint64_t checksum_of(const typename W::params& p, std::span<const typename W::output> outputs) {
    std::uint64_t sum = 0xcbf29ce484222325;
    if constexpr (has_total<W>)
        sum = stirred(sum, W::total(p, outputs));
    else
        for (const auto& one : outputs) sum = stirred(sum, one);
    return sum;
}

}  // namespace crossover::bench
