// An echo server written against epoll by hand: the reference for the libraries' servers.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "bench/loop_bench/fresh_process.hpp"

namespace crossover::loop_bench {

void serve_by_hand() {
    const loopback_listener listener;
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    const auto watch = [epoll](int fd) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) std::exit(1);
    };
    watch(listener.fd());
    listener.print_port();
    epoll_event events[256];
    char buffer[4096];
    for (;;) {
        const int n = ::epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener.fd()) {
                const int client = ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (client >= 0) watch(client);
                continue;
            }
            const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            // The load never has more under way than fits into the socket's buffer.
            if (got <= 0 || ::send(fd, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got)
                ::close(fd);
        }
    }
}

}  // namespace crossover::loop_bench
