// Datagrams: one system call each, tried again when the socket is ready.
#include "runtimes/event_loop/io/datagram.hpp"

#include <cerrno>

namespace crossover::asyncio {

bool recvfrom_wait::attempt(socket_wait& w) {
    auto& self = static_cast<recvfrom_wait&>(w);
    self.sender_size_ = sizeof self.sender_;
    self.result_ = ::recvfrom(self.socket_.fd(), self.to_.data(), self.to_.size(), MSG_DONTWAIT,
                              reinterpret_cast<sockaddr*>(&self.sender_), &self.sender_size_);
    if (self.result_ < 0) self.result_ = -errno;
    return self.result_ != -EAGAIN;
}

received_datagram recvfrom_wait::await_resume() const {
    finish();
    return {static_cast<std::size_t>(result_),
            socket_address(reinterpret_cast<const sockaddr*>(&sender_), sender_size_)};
}

bool sendto_wait::attempt(socket_wait& w) {
    auto& self = static_cast<sendto_wait&>(w);
    self.result_ = ::sendto(self.socket_.fd(), self.from_.data(), self.from_.size(),
                            MSG_DONTWAIT | MSG_NOSIGNAL, self.to_.get(), self.to_.size());
    if (self.result_ < 0) self.result_ = -errno;
    return self.result_ != -EAGAIN;
}

}  // namespace crossover::asyncio
