// The client's side of the load generator: requests rounds of load and their results.
#pragma once

#include <cstdint>
#include <string>

#include "runtimes/system/endpoint.hpp"
#include "workloads/servers/load/latency_buckets.hpp"
#include "workloads/servers/load/load_plan.hpp"
#include "workloads/servers/server_socket.hpp"

namespace crossover {

// A connection for questions, one line each way. Throws origin_error when the generator cannot be reached or
// does not answer within 5 s; `refused` without descriptors.
class load_control {
  public:
    explicit load_control(const endpoint& generator)
        : generator_(generator), socket_(generator, "the load generator") {}
    ~load_control();
    load_control(const load_control&) = delete;
    load_control& operator=(const load_control&) = delete;

    std::string ask(const std::string& line);
    // User and system CPU time of the generator since its start, in nanoseconds.
    std::uint64_t cpu_ns();

  private:
    endpoint generator_;
    server_socket socket_;
};

// All rounds since the session began or forgot.
struct load_report {
    std::uint64_t rounds = 0;
    std::uint64_t replies = 0;
    std::uint64_t busy_ns = 0;  // from the moment when all connections were there to the last reply
    std::string fault;          // what went wrong in the last round, in one line; empty when all is well
    latencies seen;
};

// Rounds of one plan. A round begins whenever `plan.connections` connections have said serve_line(id(), 0
// ...), and ends with one more byte on each of them, after which whoever serves them closes them.
class load_session {
  public:
    load_session(const endpoint& generator, const load_plan& plan);

    std::uint64_t id() const { return id_; }
    void forget();
    load_report report();

  private:
    load_control control_;
    std::uint64_t id_;
};

}  // namespace crossover
