// Datagrams: sock_recvfrom and sock_sendto.
#pragma once

#include <cstddef>
#include <span>

#include "runtimes/event_loop/io/addresses.hpp"
#include "runtimes/event_loop/io/socket.hpp"

namespace crossover::asyncio {

struct received_datagram {
    std::size_t size;       // what did not fit in the buffer is lost
    socket_address sender;  // of size 0 if it has no address
};

class [[nodiscard]] recvfrom_wait : public socket_wait {
  public:
    recvfrom_wait(socket& s, std::span<std::byte> to, time_point deadline) noexcept
        : socket_wait(s, direction::readable, deadline, &attempt, "recvfrom"), to_(to) {}
    received_datagram await_resume() const;

  private:
    static bool attempt(socket_wait& w);
    std::span<std::byte> to_;
    sockaddr_storage sender_{};
    socklen_t sender_size_ = 0;
};

class [[nodiscard]] sendto_wait : public socket_wait {
  public:
    sendto_wait(socket& s, std::span<const std::byte> from, const socket_address& to,
                time_point deadline) noexcept
        : socket_wait(s, direction::writable, deadline, &attempt, "sendto"), from_(from), to_(to) {}
    void await_resume() const { finish(); }

  private:
    static bool attempt(socket_wait& w);
    std::span<const std::byte> from_;
    socket_address to_;
};

// One datagram, of a socket made with SOCK_DGRAM. The buffers must live until the await ends; one waiter per
// socket and direction. Throw std::system_error, and timeout_error when the deadline has passed.
inline recvfrom_wait sock_recvfrom(socket& s, std::span<std::byte> to,
                                   time_point deadline = no_deadline) noexcept {
    return recvfrom_wait(s, to, deadline);
}
inline sendto_wait sock_sendto(socket& s, std::span<const std::byte> from, const socket_address& to,
                               time_point deadline = no_deadline) noexcept {
    return sendto_wait(s, from, to, deadline);
}

}  // namespace crossover::asyncio
