// Runs this program again as a child: for memory, which needs a fresh process, and for servers, whose CPU
// time must be separate from their clients'.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace crossover::loop_bench {

// Dies with its parent; killed and waited for by the destructor.
class fresh_process {
  public:
    // Throws std::system_error.
    explicit fresh_process(std::vector<std::string> command);
    fresh_process(const fresh_process&) = delete;
    fresh_process& operator=(const fresh_process&) = delete;
    ~fresh_process();

    // What it prints, up to a line's end; throws std::runtime_error if it ends before that.
    std::string line();
    // So far, user and system.
    std::chrono::nanoseconds cpu_time() const;

  private:
    pid_t pid_ = -1;
    int output_ = -1;
};

// This program with `task` as its task.
std::vector<std::string> myself(const std::string& task);

// Of the calling process.
std::chrono::nanoseconds own_cpu_time();
std::uint64_t own_resident_bytes();

// n tasks asleep at once, measured where they sleep.
struct sleepers_cost {
    std::uint64_t tasks = 0;
    std::uint64_t resident_bytes = 0;
    std::chrono::nanoseconds cpu{};
};

// The tasks of children, each printing one line: "tasks bytes ns", or the port of a server that then serves.
sleepers_cost event_loop_sleepers(std::uint64_t n);
sleepers_cost asio_sleepers(std::uint64_t n);
sleepers_cost fiber_sleepers(std::uint64_t n);
[[noreturn]] void serve_by_hand();
[[noreturn]] void serve_by_event_loop(bool on_io_uring);
[[noreturn]] void serve_by_asio();

// A listening socket on a free loopback port.
class loopback_listener {
  public:
    loopback_listener();
    int fd() const noexcept { return fd_; }
    void print_port() const;

  private:
    int fd_;
};

}  // namespace crossover::loop_bench
