// Writes and reads a plan as a line of numbers.
#include "workloads/servers/load/load_plan.hpp"

#include <cinttypes>
#include <cstdio>

namespace crossover {

std::string session_line(const load_plan& plan) {
    return "session " + std::to_string(plan.connections) + ' ' + std::to_string(plan.requests) + ' ' +
           std::to_string(plan.bytes) + ' ' + std::to_string(plan.rate_per_s);
}

std::optional<load_plan> read_session_line(std::string_view line) {
    load_plan plan;
    char rest = 0;
    const int read =
        std::sscanf(std::string(line).c_str(), "session %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "%c",
                    &plan.connections, &plan.requests, &plan.bytes, &plan.rate_per_s, &rest);
    if (read != 4) return std::nullopt;
    return plan;
}

std::string serve_line(std::uint64_t session, std::uint64_t connection) {
    return "serve " + std::to_string(session) + ' ' + std::to_string(connection);
}

}  // namespace crossover
