// echo: how many requests per second does a model serve over many connections?
#pragma once

#include "workloads/io/echo_serving.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

struct echo_params {
    std::uint64_t connections, requests, bytes;

    load_plan plan() const { return {connections, requests, bytes, 0}; }
};

// Closed loop: every connection has one request under way, and gets the next with the reply.
struct echo : echo_serving<echo_params> {
    static constexpr std::string_view name = "echo";
    static constexpr std::string_view question =
        "how many requests per second does a model serve over many connections?";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "a bare write and read of each request / cores";

    static constexpr std::array fields{
        field<params>{"connections", &params::connections, 1, load_plan::most_connections},
        field<params>{"requests", &params::requests, 1, load_plan::most_requests},
        field<params>{"bytes", &params::bytes, load_plan::least_bytes, load_plan::most_bytes}};
    static constexpr std::array sizes{
        size<params>{{2, 50, 64}, exhaustive},         size<params>{{2, 5'000, 64}, exhaustive},
        size<params>{{16, 5'000, 64}, full},           size<params>{{256, 4'000, 64}, full},
        size<params>{{256, 10'000, 64}, exhaustive},   size<params>{{1'000, 20'000, 64}, exhaustive},
        size<params>{{16, 2'000, 10'240}, exhaustive}, size<params>{{16, 500, 102'400}, exhaustive}};

    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t cores) {
        lower_bound::messages(p.requests / std::min<std::uint64_t>(p.connections, cores), p.bytes);
    }
};

}  // namespace crossover
