// The system calls behind sockets.hpp, with errors that name the limit.
#include "runtimes/system/sockets.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover::sockets {

void fail(int error, const char* action) {
    refuse_if_out_of_descriptors(error, action);
    if (error == EADDRNOTAVAIL) {
        std::string range;
        std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
        std::getline(file, range);
        throw refused(std::string(action) + ": no free port: net.ipv4.ip_local_port_range is " + range);
    }
    throw std::system_error(error, std::generic_category(), action);
}

int open_tcp(int flags) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) fail(errno, "socket");
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

sockaddr_in address_of(endpoint server) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(server.address);
    address.sin_port = htons(server.port);
    return address;
}

bool start_connect(int descriptor, endpoint server) {
    sockaddr_in address = address_of(server);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
    if (errno == EINPROGRESS || errno == EINTR) return false;
    fail(errno, "connect");
}

void finish_connect(int descriptor) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) fail(error, "connect");
}

void abort_on_close(int descriptor) {
    linger now{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace crossover::sockets
