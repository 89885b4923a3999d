// Sockets for tests: connected pairs of both families, a listener, and reading a little.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// At a free port of the loopback interface.
struct listener {
    listener() : own(socket::create(AF_INET)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(0, ::bind(own.fd(), generic(), size));
        EXPECT_EQ(0, ::listen(own.fd(), 16));
        EXPECT_EQ(0, ::getsockname(own.fd(), generic(), &size));
    }
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }
    // The other end of a connection that nobody has accepted yet.
    socket connect() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(0, ::connect(fd, generic(), sizeof address));
        return socket(fd);
    }
    socket own;
    sockaddr_in address{};
};

enum class transport { unix_socket, tcp };

inline std::pair<socket, socket> connected(transport over) {
    if (over == transport::tcp) {
        listener at;
        socket client = at.connect();
        return {socket(::accept4(at.own.fd(), nullptr, nullptr, SOCK_CLOEXEC)), std::move(client)};
    }
    std::array<int, 2> ends{};
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()));
    return {socket(ends[0]), socket(ends[1])};
}

// Once, at most as much as a test ever sends.
inline coro<std::string> reads(socket& s, time_point deadline = no_deadline) {
    std::array<std::byte, 64> buffer;
    const std::size_t n = co_await sock_recv(s, buffer, deadline);
    co_return std::string(reinterpret_cast<const char*>(buffer.data()), n);
}

// The same without the loop; "nothing" if it would have to wait, "error N" if it fails.
inline std::string read_plainly(int fd) {
    std::array<char, 64> buffer{};
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0) return errno == EAGAIN ? "nothing" : "error " + std::to_string(errno);
    return std::string(buffer.data(), static_cast<std::size_t>(n));
}

}  // namespace crossover::asyncio
