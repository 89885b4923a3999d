// A pipe, and whole records through it.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace crossover::bench::native {

class pipe_pair {
  public:
    pipe_pair() {
        if (::pipe(ends_) < 0) throw std::system_error(errno, std::generic_category(), "pipe");
    }
    ~pipe_pair() {
        close_reading();
        close_writing();
    }
    pipe_pair(const pipe_pair&) = delete;
    pipe_pair& operator=(const pipe_pair&) = delete;

    void close_reading() { close(ends_[0]); }
    void close_writing() { close(ends_[1]); }

    // Records are shorter than PIPE_BUF, so that those of several writers do not mix. False once nobody
    // reads.
    template <class Record>
    bool write(const Record& r) {
        return ::write(ends_[1], &r, sizeof r) == static_cast<ssize_t>(sizeof r);
    }

    // As many records as are there, at least one; 0 once nobody writes.
    template <class Record, std::size_t Most>
    std::size_t read(std::span<Record, Most> into) {
        const ssize_t n = ::read(ends_[0], into.data(), into.size_bytes());
        if (n < 0) throw std::system_error(errno, std::generic_category(), "read from a pipe");
        return static_cast<std::size_t>(n) / sizeof(Record);
    }

  private:
    static void close(int& end) {
        if (end >= 0) ::close(std::exchange(end, -1));
    }

    int ends_[2];
};

}  // namespace crossover::bench::native
