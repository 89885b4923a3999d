// Names of hosts to addresses of sockets.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

class socket_address {
  public:
    socket_address(const sockaddr* address, socklen_t size) noexcept;

    int family() const noexcept { return storage_.ss_family; }
    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const noexcept { return size_; }
    std::uint16_t port() const noexcept;  // 0 for a Unix socket
    std::string text() const;             // 127.0.0.1:80, [::1]:80, or a path

  private:
    sockaddr_storage storage_{};
    socklen_t size_;
};

// Where the socket is bound to, and where it is connected to. Both throw std::system_error.
socket_address local_address(const socket& s);
socket_address peer_address(const socket& s);
// Throws std::invalid_argument if the path is too long.
socket_address unix_address(const std::string& path);

// Asks the system's resolver, in a thread unless the host is a number. An empty host is every interface if
// `passive`, else this machine. Throws std::system_error.
coro<std::vector<socket_address>> resolve(std::string host, std::uint16_t port, bool passive);

void set_no_delay(const socket& s) noexcept;

// Throws std::invalid_argument if it is not of type SOCK_STREAM.
void expect_stream(const socket& s);

}  // namespace crossover::asyncio
