// The params of a workload by their names: which values they may have, and the size that some of them make.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crossover {

template <class Params>
struct field {
    std::string_view name;
    std::uint64_t Params::*value;
    // What it may be: up to what a machine can be asked for, no sum overflows and the verifier can judge.
    std::uint64_t least, most;
    // The param whose value it takes where that one is named and it is not; null: none.
    std::uint64_t Params::*follows = nullptr;
};

inline constexpr std::uint64_t most_items = 10'000'000;      // whose outputs and account fit into the arenas
inline constexpr std::uint64_t most_open = 20'000;           // of what holds a descriptor each
inline constexpr std::uint64_t most_steps = 10'000'000'000;  // of one item: some seconds
inline constexpr std::uint64_t longest_wait_us = 60'000'000;

using named_params = std::vector<std::pair<std::string, std::uint64_t>>;

// No size of the workload: one line that names the param, its value and what it may be.
class bad_params : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

// Throws bad_params.
template <class W>
void check_params(const typename W::params& p) {
    for (const auto& f : W::fields)
        if (p.*f.value < f.least || p.*f.value > f.most)
            throw bad_params(std::string(f.name) + " is " + std::to_string(p.*f.value) + ": " +
                             std::string(W::name) + " takes from " + std::to_string(f.least) + " to " +
                             std::to_string(f.most));
    if constexpr (requires { W::wrong(p); })
        if (const std::string fault = W::wrong(p); !fault.empty())
            throw bad_params(std::string(W::name) + ": " + fault);
}

// The size with these params. One that is not named is as in the first size of the shortest list that has
// one, unless it follows one that is. Throws bad_params.
template <class W>
typename W::params params_with(const named_params& named) {
    typename W::params p = std::ranges::max_element(W::sizes, {}, [](const auto& s) { return s.in; })->params;
    const auto is_named = [&](const auto& f) {
        return std::ranges::any_of(named, [&](const auto& one) { return one.first == f.name; });
    };
    for (const auto& [name, value] : named) {
        const auto f = std::ranges::find(W::fields, name, [](const auto& each) { return each.name; });
        if (f == W::fields.end()) {
            std::string all;
            for (const auto& each : W::fields) all += (all.empty() ? "" : ", ") + std::string(each.name);
            throw bad_params(std::string(W::name) + " has no param " + name + "; it has: " + all);
        }
        p.*f->value = value;
    }
    for (const auto& f : W::fields)
        for (const auto& followed : W::fields)
            if (f.follows == followed.value && is_named(followed) && !is_named(f))
                p.*f.value = std::min(p.*followed.value, f.most);
    check_params<W>(p);
    return p;
}

}  // namespace crossover
