// open, read until full, close.
#include "runtimes/system/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtimes/system/limits/limits.hpp"

namespace crossover::files {

int open(const char* path) {
    int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        refuse_if_out_of_descriptors(errno, path);
        throw std::system_error(errno, std::generic_category(), path);
    }
    return fd;
}

std::size_t read(const char* path, std::span<std::byte> into) {
    int fd = open(path);
    std::size_t done = 0;
    while (done < into.size()) {
        ssize_t n = ::read(fd, into.data() + done, into.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int error = errno;
            ::close(fd);
            throw std::system_error(error, std::generic_category(), path);
        }
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    ::close(fd);
    return done;
}

}  // namespace crossover::files
