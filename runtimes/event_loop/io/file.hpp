// Reads files without blocking the loop: in the kernel on io_uring, in a thread on epoll.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

// Owns a descriptor that is open for reading. Belongs to the loop's thread.
class file {
  public:
    // Takes over a descriptor.
    explicit file(int fd) noexcept : fd_(fd) {}
    file(file&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    file& operator=(file other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~file();

    // Up to to.size() bytes from that offset on; 0 at the end. A cancelled read is waited for, because the
    // buffer is in use until then. Throws std::system_error.
    coro<std::size_t> read_at(std::span<std::byte> to, std::uint64_t offset) const;
    int fd() const noexcept { return fd_; }

  private:
    int fd_;
};

// Throws std::system_error with the path.
coro<file> open_file(std::string path);

// The whole file. Throws std::system_error with the path.
coro<std::string> read_file(std::string path);

}  // namespace crossover::asyncio
