// What is known of a case, that is a workload at one size, whoever runs it: its facts, and the checksum of
// its outputs.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "bench/cell/cell.hpp"
#include "workloads/contract/workload.hpp"

namespace crossover::bench {

// `by` is who runs it, as it stands in the name: "model:serial". What depends on that is left to the caller.
template <class W>
cell_facts case_facts(const size<params_of<W>>& s, const std::string& by) {
    cell_facts facts{};
    facts.workload = W::name;
    facts.question = W::question;
    facts.kind = W::kind;
    for (const auto& f : W::fields) facts.params.emplace_back(f.name, s.params.*f.value);
    facts.name = std::string(W::name) + "/" + by + "/" + params_text<W>(s.params);
    facts.in = s.in;
    facts.decides = W::decides;
    facts.unit = W::unit;
    facts.units = units_of<W>(s.params);
    facts.scheduled = scheduled_by<W>(s.params);
    facts.bound = W::bound;
    facts.bound_ns = facts.least_ns = W::least_ns(s.params, unlimited);
    facts.needs_origin = needs_origin<W>();
    facts.in_flight = limits_of<W>(s.params).in_flight;
    return facts;
}

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
