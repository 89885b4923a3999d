// Sending files: sendfile(2), and the signal that it raises where send() need not.
#include "runtimes/event_loop/io/sendfile.hpp"

#include <sys/sendfile.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <stdexcept>

namespace crossover::asyncio {
namespace {

constexpr std::size_t most_at_once = 0x7ffff000;  // Linux sends no more in one call

// A connection that the peer has closed is an error here and must not end the program. sendfile() has no
// MSG_NOSIGNAL.
class without_sigpipe {
  public:
    without_sigpipe() noexcept {
        ::sigemptyset(&only_);
        ::sigaddset(&only_, SIGPIPE);
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &only_, &before_);
    }
    without_sigpipe(const without_sigpipe&) = delete;
    without_sigpipe& operator=(const without_sigpipe&) = delete;
    ~without_sigpipe() {
        const timespec at_once{};
        if (!was_pending_) ::sigtimedwait(&only_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

  private:
    sigset_t only_;
    sigset_t before_;
    bool was_pending_;
};

}  // namespace

sendfile_wait::sendfile_wait(socket& s, const file& from, std::uint64_t offset,
                             std::optional<std::size_t> count, time_point deadline)
    : socket_wait(s, direction::writable, deadline, &attempt, "sendfile"),
      from_(from.fd()),
      offset_(offset),
      left_(count) {
    if (count == 0u) throw std::invalid_argument("sock_sendfile: the count must be positive");
}

bool sendfile_wait::attempt(socket_wait& w) {
    auto& self = static_cast<sendfile_wait&>(w);
    const without_sigpipe here;
    self.result_ = running_loop->io().flush(self.socket_.fd());  // of a sock_sendall() that was cancelled
    if (self.result_ < 0) return self.result_ != -EAGAIN;
    while (self.left_ != 0u) {
        auto at = static_cast<off_t>(self.offset_);
        const ssize_t n = ::sendfile(self.socket_.fd(), self.from_, &at,
                                     std::min(self.left_.value_or(most_at_once), most_at_once));
        if (n < 0 && errno == EAGAIN) return false;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) self.result_ = -errno;
        if (n <= 0) return true;
        self.offset_ += static_cast<std::size_t>(n);
        self.sent_ += static_cast<std::size_t>(n);
        if (self.left_) *self.left_ -= static_cast<std::size_t>(n);
    }
    return true;
}

}  // namespace crossover::asyncio
