// Listens, and handles refusals of the machine: no port, or no descriptor for another connection.
#include "workloads/servers/origin/server.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "runtimes/system/accept_client.hpp"
#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "workloads/servers/origin/session.hpp"

namespace crossover {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

std::string port_range() {
    std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
    unsigned first = 0;
    unsigned last = 0;
    file >> first >> last;
    return std::to_string(first) + "-" + std::to_string(last);
}

std::runtime_error cannot_listen(const boost::system::error_code& why, std::uint16_t port) {
    const std::string problem = "cannot listen on 127.0.0.1";
    refuse_if_out_of_descriptors(why.value(), problem.c_str());
    if (why == asio::error::address_in_use && port != 0)
        return std::runtime_error(problem + ": port " + std::to_string(port) +
                                  " is taken; leave --port out to get a free one");
    if (why == asio::error::address_in_use)
        return std::runtime_error(problem +
                                  "no port is free in net.ipv4.ip_local_port_range = " + port_range());
    return std::runtime_error(problem + ": " + why.message());
}

std::string refusal(const boost::system::error_code& why) {
    const char* const problem = "cannot take more connections";
    try {
        refuse_if_out_of_descriptors(why.value(), problem);
    } catch (const refused& e) {
        return e.what();
    }
    return std::string(problem) + ": " + why.message();
}

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

server::server(asio::io_context& context, origin_state& state, std::uint16_t port)
    : state_(state), acceptor_(context.get_executor()), pause_(context.get_executor()), spare_(open_spare()) {
    boost::system::error_code error;
    const auto then = [&error](auto&& step) {
        if (!error) step();
    };
    then([&] { acceptor_.open(tcp::v4(), error); });
    then([&] { acceptor_.set_option(asio::socket_base::reuse_address(true), error); });
    // Linux hands this option on to every accepted connection.
    then([&] { acceptor_.set_option(tcp::no_delay(true), error); });
    // Reno is in every kernel; the machine's default may be BBR, whose pacing costs up to 15 % more CPU on
    // large bodies.
    const char reno[] = "reno";
    ::setsockopt(acceptor_.native_handle(), IPPROTO_TCP, TCP_CONGESTION, reno, sizeof reno - 1);
    then([&] { acceptor_.bind(tcp::endpoint(asio::ip::address_v4::loopback(), port), error); });
    then([&] { acceptor_.listen(65535, error); });
    if (error) throw cannot_listen(error, port);
    accept();
}

server::~server() {
    if (spare_ >= 0) ::close(spare_);
}

void server::accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, origin_socket socket) {
        if (!error)
            session::start(state_, std::move(socket));
        else if (error == asio::error::operation_aborted)
            return;
        else if (error != asio::error::connection_aborted)
            return turn_one_away(error);
        accept();
    });
}

// Left in the queue of the listener, a connection would hang without a word.
void server::turn_one_away(const boost::system::error_code& why) {
    if (!std::exchange(warned_, true)) std::fprintf(stderr, "origin: %s\n", refusal(why).c_str());
    if (spare_ >= 0) ::close(spare_);
    if (const int fd = accept_client(acceptor_.native_handle()); fd >= 0) {
        const std::string text =
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        // The request has not been read: a close would reset the connection and lose the answer before it is
        // seen.
        ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        ::shutdown(fd, SHUT_WR);
        ::close(fd);
    }
    spare_ = open_spare();
    pause_.expires_after(std::chrono::milliseconds(1));
    pause_.async_wait([this](const boost::system::error_code& error) {
        if (!error) accept();
    });
}

}  // namespace crossover
