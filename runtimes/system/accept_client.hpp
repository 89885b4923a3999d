// accept4 for a client that never blocks, or accept where the system has no other.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// A new descriptor, non-blocking and close-on-exec, or -1 with errno.
inline int accept_client(int listener) noexcept {
    int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 || !is_withheld(errno)) return fd;
    fd = ::accept(listener, nullptr, nullptr);
    if (fd >= 0) {
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

}  // namespace crossover
