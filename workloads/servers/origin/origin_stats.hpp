// The statistics of an origin, and the connection that requests them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtimes/system/endpoint.hpp"
#include "workloads/servers/origin/external_reply.hpp"
#include "workloads/servers/server_socket.hpp"

namespace crossover {

struct origin_stats {
    std::uint64_t cpu_user_ns = 0;
    std::uint64_t cpu_sys_ns = 0;
    std::uint64_t requests = 0;        // for items, since the origin's start
    std::uint64_t connections = 0;     // open now, the one that asks included
    std::uint64_t in_flight = 0;       // items asked for and not yet answered
    std::uint64_t peak_in_flight = 0;  // since the start or the last reset
};

// One kept connection, opened at the first question: asking before and after every sample must not use up
// ports.
class stats_connection {
  public:
    explicit stats_connection(const endpoint& server) : server_(server) {}

    // Asks for /stats or /stats/reset and blocks until the answer has come, for 5 s at most. Nothing if the
    // server has no such page, as an external server has not. Throws origin_error if it does not answer.
    std::optional<origin_stats> ask(std::string_view target);

    // Asks for "/". Throws origin_error if the server does not answer.
    external_reply first_page();

  private:
    template <class Take>
    auto exchange(std::string_view target, Take take);

    endpoint server_;
    server_socket socket_;  // connected by the first question
};

}  // namespace crossover
