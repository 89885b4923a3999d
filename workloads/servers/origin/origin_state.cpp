// The origin's statistics, as /stats prints them.
#include "workloads/servers/origin/origin_state.hpp"

#include <sys/resource.h>

#include <string_view>

namespace crossover {

namespace {

std::uint64_t nanoseconds(const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(t.tv_usec) * 1'000;
}

}  // namespace

std::string origin_state::stats() const {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::string json = "{";
    const auto put = [&json](std::string_view key, std::uint64_t value) {
        if (json.size() > 1) json += ", ";
        json.append("\"").append(key).append("\": ").append(std::to_string(value));
    };
    put("cpu_user_ns", nanoseconds(usage.ru_utime));
    put("cpu_sys_ns", nanoseconds(usage.ru_stime));
    put("requests", counts.requests);
    put("connections", counts.connections);
    put("in_flight", counts.in_flight);
    put("peak_in_flight", counts.peak_in_flight);
    return json + "}";
}

}  // namespace crossover
