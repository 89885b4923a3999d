// A server that is started as a child process, says where it listens, and ends with its owner.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "runtimes/system/endpoint.hpp"

namespace crossover {

// The child's standard input is a pipe that is closed when this object or its process ends: the child must
// end then. A fork of the owner that destroys its copy leaves the server alone. Not thread-safe.
class server_process {
  public:
    // Starts the program and returns when it has printed where it listens. `what` is the server in errors,
    // its build target and its flag. Throws origin_error; `refused` if the system is at a limit.
    server_process(const char* what, const std::filesystem::path& program);
    // Ends and reaps it, and passes on to standard error what it has said since: complaints, a line or two.
    ~server_process();
    server_process(server_process&& other) noexcept;
    server_process& operator=(server_process&&) = delete;

    // The program `name` beside the running one, else `built`.
    static std::filesystem::path beside(const char* name, const char* built);

    endpoint address() const { return address_; }
    pid_t pid() const { return pid_; }
    // User and system CPU time since its start, in nanoseconds. The kernel is asked, the server not
    // disturbed.
    std::optional<std::uint64_t> cpu_ns() const;

  private:
    endpoint address_;
    pid_t pid_ = 0;
    int control_ = -1;  // the write end of the server's standard input
    int said_ = -1;     // the read end of its output and standard error
    pid_t owner_;
};

}  // namespace crossover
