// What a workload says of itself at one size, whoever runs it.
#pragma once

#include <string>

#include "bench/cell.hpp"
#include "workloads/workload.hpp"

namespace crossover::bench {

// `by` is who runs it, as it stands in the name: "model:serial". What depends on that is left to the caller.
template <class W>
cell_facts size_facts(const size<params_of<W>>& s, const std::string& by) {
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

}  // namespace crossover::bench
