// A process that echoes what it is sent over TCP, forked before any test makes a thread.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtimes/system/endpoint.hpp"

namespace crossover::contract_test {

// Listens on a free port of the loopback interface; the caller owns the descriptor.
inline int listen_on_loopback(int backlog, endpoint& at) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(loopback_address);
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(fd, backlog) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error(std::string("cannot listen on loopback: ") + std::strerror(errno));
    at.address = loopback_address;
    at.port = ntohs(address.sin_port);
    return fd;
}

// Echoes every connection; one whose data ends with '!' is closed by the server after the echo.
class echo_server : public ::testing::Environment {
  public:
    static endpoint address() { return address_; }

  private:
    void SetUp() override {
        int listener = listen_on_loopback(1'024, address_);
        const pid_t parent = ::getpid();
        pid_ = ::fork();
        if (pid_ == 0) serve(listener, parent);
        ::close(listener);
        if (pid_ < 0)
            throw std::runtime_error(std::string("cannot fork the echo server: ") + std::strerror(errno));
    }

    void TearDown() override {
        if (pid_ <= 0) return;  // kill(-1) would reach every process of the user
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    [[noreturn]] static void serve(int listener, pid_t parent) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(0);  // it has ended already, as a test in a process of its own does
        ::signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (connection < 0) continue;
            std::thread(&echo, connection).detach();
        }
    }

    static void echo(int connection) {
        int on = 1;
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        std::vector<char> data(64 * 1024);
        for (;;) {
            ssize_t got = ::read(connection, data.data(), data.size());
            if (got <= 0) break;
            const char* from = data.data();
            for (ssize_t left = got; left > 0;) {
                ssize_t sent = ::write(connection, from, static_cast<std::size_t>(left));
                if (sent <= 0) break;
                from += sent;
                left -= sent;
            }
            if (data[static_cast<std::size_t>(got - 1)] == '!') break;
        }
        ::close(connection);
    }

    pid_t pid_ = -1;
    static inline endpoint address_;
};

inline const auto* const echo_service = ::testing::AddGlobalTestEnvironment(new echo_server);

}  // namespace crossover::contract_test
