// One loop for each. What is opaque to the compiler stands for what it cannot see through in any model.
#include "workloads/support/lower_bound.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace crossover::lower_bound {

namespace {

[[gnu::noinline]] std::uint64_t next(std::uint64_t number) { return number + 1; }

// Unix sockets, the dearest part of TCP left out: no model can have its messages cheaper.
class pair_of_sockets {
  public:
    pair_of_sockets() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) != 0) refuse("a socket pair");
    }
    ~pair_of_sockets() {
        for (const int end : ends_) ::close(end);
    }
    pair_of_sockets(const pair_of_sockets&) = delete;
    pair_of_sockets& operator=(const pair_of_sockets&) = delete;

    // `size` is less than what a socket buffers.
    void pass(std::vector<char>& message, std::size_t size) {
        if (::write(ends_[0], message.data(), size) != static_cast<ssize_t>(size)) refuse("a write");
        if (::read(ends_[1], message.data(), size) != static_cast<ssize_t>(size)) refuse("a read");
    }

  private:
    [[noreturn]] static void refuse(const char* what) {
        throw std::system_error(errno, std::generic_category(), what);
    }

    std::array<int, 2> ends_{};
};

}  // namespace

void calls(std::uint64_t n) {
    auto* one = &next;
    std::uint64_t number = 0;
    while (number < n) {
        asm volatile("" : "+r"(one));
        number = one(number);
    }
}

void additions(std::uint64_t n) {
    struct counter {
        std::uint64_t permits, number;
    } counter{1, 0};
    auto* shared = &counter;  // found through a pointer, as what tasks share is
    for (std::uint64_t i = 0; i < n && shared->permits > 0; ++i) {
        --shared->permits;
        asm volatile("" : "+r"(shared) : : "memory");
        ++shared->number;
        asm volatile("" : "+r"(shared) : : "memory");
        ++shared->permits;
        asm volatile("" : "+r"(shared) : : "memory");
    }
}

void transfers(std::uint64_t n, std::uint64_t capacity) {
    std::vector<std::uint64_t> ring(capacity);
    std::uint64_t pushed = 0, popped = 0;
    for (std::uint64_t i = 0, at = 0; i < n; ++i, at = at + 1 == capacity ? 0 : at + 1) {
        ring[at] = i;
        pushed += i;
        asm volatile("" : "+r"(pushed) : : "memory");
        popped += ring[at];
        asm volatile("" : "+r"(popped));
    }
}

void messages(std::uint64_t n, std::uint64_t bytes) {
    constexpr std::size_t piece = 16'384;
    std::vector<char> message(piece);
    pair_of_sockets through;
    for (std::uint64_t i = 0; i < n; ++i)
        for (std::uint64_t left = bytes; left > 0; left -= std::min<std::uint64_t>(left, piece))
            through.pass(message, std::min<std::uint64_t>(left, piece));
}

}  // namespace crossover::lower_bound
