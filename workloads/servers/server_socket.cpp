// Connecting, with a limit to how long an answer may take.
#include "workloads/servers/server_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/sockets.hpp"
#include "workloads/servers/origin/origin_error.hpp"

namespace crossover {

namespace {

constexpr timeval patience{5, 0};

bool has_no_network(int error) {
    return error == ENETUNREACH || error == ENETDOWN || error == EHOSTUNREACH || is_withheld(error);
}

}  // namespace

server_socket::server_socket(const endpoint& server, const char* what)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) {
        refuse_if_out_of_descriptors(errno, (std::string("cannot ask ") + what).c_str());
        throw origin_error(std::string("cannot open a socket: ") + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const sockaddr_in address = sockets::address_of(server);
    int failed = 0;
    do failed = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    while (failed != 0 && errno == EINTR);  // a stop and a continue of the process interrupt it
    if (failed != 0) {
        const int error = errno;
        close();
        const std::string problem =
            std::string("cannot connect to ") + what + " at " + to_url(server) + ": " + std::strerror(error);
        if (has_no_network(error)) throw refused(problem + ": is the loopback interface up (ip link)?");
        throw origin_error(problem + "; is it running?");
    }
}

void server_socket::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace crossover
