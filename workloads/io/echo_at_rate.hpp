// echo_at_rate: how long do requests take that come at a rate of their own, whether or not the last is
// answered?
#pragma once

#include "workloads/io/echo_serving.hpp"

namespace crossover {

struct echo_at_rate_params {
    std::uint64_t connections, requests, bytes, rate_per_s;

    load_plan plan() const { return {connections, requests, bytes, rate_per_s}; }
};

// Open loop: request k is due k / rate after the start, and its latency counts from there. At rate 0 every
// connection has one request under way, as in a closed loop: how much the model can serve.
struct echo_at_rate : echo_serving<echo_at_rate_params> {
    static constexpr std::string_view name = "echo_at_rate";
    static constexpr std::string_view question =
        "how long do requests take that come at a rate of their own, whether or not the last is answered?";
    static constexpr metric decides = metric::latency;
    static constexpr std::string_view bound = "requests / rate";

    static constexpr std::array fields{
        field<params>{"connections", &params::connections, 1, load_plan::most_connections},
        field<params>{"requests", &params::requests, 1, load_plan::most_requests},
        field<params>{"bytes", &params::bytes, load_plan::least_bytes, load_plan::most_bytes},
        field<params>{"rate_per_s", &params::rate_per_s, 0, 10'000'000}};
    static constexpr auto arrival_rate = &params::rate_per_s;
    static constexpr std::array sizes{size<params>{{2, 50, 64, 5'000}, exhaustive},
                                      size<params>{{16, 1'000, 64, 5'000}, full},
                                      size<params>{{32, 1'000, 64, 5'000}, full},
                                      size<params>{{256, 2'000, 64, 15'000}, exhaustive},
                                      size<params>{{256, 6'000, 64, 30'000}, exhaustive},
                                      size<params>{{1'000, 10'000, 64, 10'000}, exhaustive}};

    static std::uint64_t least_ns(const params& p, std::size_t) {
        return p.rate_per_s == 0 ? 0 : (p.requests - 1) * 1'000'000'000 / p.rate_per_s;
    }
};

}  // namespace crossover
