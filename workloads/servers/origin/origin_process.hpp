// The HTTP server that a bench uses: its own origin, started and ended here, or one that already runs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "runtimes/system/endpoint.hpp"
#include "workloads/servers/origin/origin_stats.hpp"
#include "workloads/servers/server_process.hpp"

namespace crossover {

// Makes no thread, so it may be started before a process pool forks; a forked copy of it leaves the server
// alone. Not thread-safe.
class origin_process {
  public:
    // Starts the program and returns when it listens. Throws origin_error; `refused` if the system is at a
    // limit.
    static origin_process start(const std::filesystem::path& program = default_program());
    // Uses a server that runs already. Throws origin_error if it cannot be reached.
    static origin_process attach(const endpoint& server);

    // `origin` beside the running program, else the one that was built with it.
    static std::filesystem::path default_program();

    endpoint address() const { return address_; }
    // The process id of a program that was started here, else 0.
    pid_t pid() const { return own_ ? own_->pid() : 0; }

    // User and system CPU time of the server since its start, in nanoseconds; nothing for an external server.
    // For a program that was started here the kernel is asked and the server is not disturbed.
    std::optional<std::uint64_t> cpu_ns();
    // Blocks for the reply. Nothing if the server is external and does not tell. Throws origin_error if it
    // does not answer.
    std::optional<origin_stats> stats();
    // As stats(), and the server then begins a new peak_in_flight.
    std::optional<origin_stats> reset_peak();

    // What GET / gives, if the server is not an origin. Throws origin_error if it does not answer.
    std::optional<external_reply> external();

  private:
    explicit origin_process(server_process started);
    explicit origin_process(const endpoint& running);

    endpoint address_;
    std::optional<server_process> own_;
    stats_connection connection_;
    bool external_ = false;
    std::optional<external_reply> reply_;
};

}  // namespace crossover
