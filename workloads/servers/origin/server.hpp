// The origin's listener: takes connections on loopback and starts a session for each.
#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>

#include "workloads/servers/origin/origin_sockets.hpp"
#include "workloads/servers/origin/origin_state.hpp"

namespace crossover {

class server {
  public:
    // Listens on 127.0.0.1; port 0 takes a free one. Throws std::runtime_error with one line that names the
    // limit in the way.
    server(boost::asio::io_context& context, origin_state& state, std::uint16_t port);
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  private:
    void accept();
    void turn_one_away(const boost::system::error_code& why);

    origin_state& state_;
    origin_acceptor acceptor_;
    origin_timer pause_;
    int spare_;  // a descriptor to give up, so that a connection can be taken and told why it is refused
    bool warned_ = false;
};

}  // namespace crossover
