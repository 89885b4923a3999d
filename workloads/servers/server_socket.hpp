// A blocking connection to a server of the suite, over which it is asked.
#pragma once

#include <utility>

#include "runtimes/system/endpoint.hpp"

namespace crossover {

class server_socket {
  public:
    // Not connected.
    server_socket() = default;
    // Connects. A read or a write that takes more than 5 s fails with EAGAIN. `what` is the server in errors.
    // Throws origin_error when it cannot be reached; `refused` without descriptors.
    server_socket(const endpoint& server, const char* what);
    server_socket(server_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    server_socket& operator=(server_socket&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~server_socket() { close(); }

    explicit operator bool() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    void close();

  private:
    int fd_ = -1;
};

}  // namespace crossover
