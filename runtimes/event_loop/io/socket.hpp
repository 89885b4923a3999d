// Sockets as tasks use them: sock_recv, sock_sendall, sock_accept, sock_connect.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "runtimes/event_loop/loop/waiting.hpp"

namespace crossover::asyncio {

// Owns a non-blocking socket, and its registration with the reactor of the loop in which it first had to
// wait.
class socket {
  public:
    socket() = default;
    // Takes the descriptor over and makes it non-blocking.
    explicit socket(int fd);
    struct non_blocking {};
    // The same for one that was made so: costs no system call.
    socket(int fd, non_blocking) noexcept : fd_(fd) {}
    // Throws std::system_error.
    static socket create(int family, int type = SOCK_STREAM);
    socket(socket&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          watcher_(std::exchange(other.watcher_, nullptr)),
          watcher_id_(other.watcher_id_) {}
    socket& operator=(socket other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(watcher_, other.watcher_);
        std::swap(watcher_id_, other.watcher_id_);
        return *this;
    }
    ~socket() { close(); }

    int fd() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    // No task may be waiting for it.
    void close() noexcept;

    // Registers the socket with the reactor of the running loop.
    void watch();

  private:
    int fd_ = -1;
    loop* watcher_ = nullptr;
    std::uint64_t watcher_id_ = 0;  // the socket may outlive its loop
};

inline constexpr time_point no_deadline = time_point::max();

// Base of the awaiters: tries at once, waits only if the kernel says EAGAIN, and tries again in the callback,
// so that the task is resumed only with a result. Errors come out as std::system_error, a passed deadline as
// timeout_error.
class socket_wait : public pending {
  public:
    // Before it is awaited.
    socket_wait(socket_wait&& other) noexcept
        : socket_wait(other.socket_, other.direction_, other.deadline_, other.attempt_, other.what_) {}
    socket_wait& operator=(socket_wait&&) = delete;

    bool await_ready();
    bool await_suspend(std::coroutine_handle<> h);

  protected:
    // Returns false at EAGAIN. Otherwise done: a negative errno is left in result_ for an error.
    using attempt_function = bool (*)(socket_wait&);

    socket_wait(socket& s, direction d, time_point deadline, attempt_function attempt,
                const char* what) noexcept;
    ~socket_wait();

    // Throws unless there is a result.
    void finish() const;

    socket& socket_;
    ssize_t result_ = 0;

  private:
    bool cancel(task_state& t, std::string_view message) override;
    std::string describe() const override;
    static void on_ready(node& n);
    static void on_deadline(node& n);
    bool wait_in_reactor();  // false: done after all
    bool disarm() noexcept;  // false: the deadline's node stands in the ready queue, and resumes the task
    void resume();

    struct ready_node : node {
        explicit ready_node(socket_wait& w) noexcept : node(&on_ready), owner(w) {}
        socket_wait& owner;
    };
    struct deadline_node : node {
        explicit deadline_node(socket_wait& w) noexcept : node(&on_deadline), owner(w) {}
        socket_wait& owner;
    };

    attempt_function attempt_;
    const char* what_;
    task_state* task_ = nullptr;
    ready_node ready_;
    deadline_node late_;
    time_point deadline_;
    direction direction_;
    bool late_pending_ = false;  // the alarm is set, or has rung and its node has not run yet
    bool give_way_ = false;
    bool settled_ = false;  // there is nothing to wait for any more
};

// The number of bytes read, 0 at the end of the stream.
class [[nodiscard]] recv_wait : public socket_wait {
  public:
    recv_wait(socket& s, std::span<std::byte> to, time_point deadline) noexcept
        : socket_wait(s, direction::readable, deadline, &attempt, "recv"), to_(to) {}
    std::size_t await_resume() const {
        finish();
        return static_cast<std::size_t>(result_);
    }

  private:
    static bool attempt(socket_wait& w);
    std::span<std::byte> to_;
};

class [[nodiscard]] sendall_wait : public socket_wait {
  public:
    sendall_wait(socket& s, std::span<const std::byte> from, time_point deadline) noexcept
        : socket_wait(s, direction::writable, deadline, &attempt, "send"), from_(from) {}
    void await_resume() const { finish(); }

  private:
    static bool attempt(socket_wait& w);
    std::span<const std::byte> from_;
};

class [[nodiscard]] accept_wait : public socket_wait {
  public:
    accept_wait(socket& s, time_point deadline) noexcept
        : socket_wait(s, direction::readable, deadline, &attempt, "accept") {}
    accept_wait(accept_wait&&) noexcept = default;
    ~accept_wait() { accepted_.close(); }
    socket await_resume() {
        finish();
        return std::move(accepted_);
    }

  private:
    static bool attempt(socket_wait& w);
    socket accepted_;
};

class [[nodiscard]] connect_wait : public socket_wait {
  public:
    connect_wait(socket& s, const sockaddr* to, socklen_t size, time_point deadline) noexcept;
    void await_resume() const { finish(); }

  private:
    static bool attempt(socket_wait& w);
    sockaddr_storage to_{};
    socklen_t size_;
    bool begun_ = false;
};

// One waiter per socket and direction. The buffers must live until the await ends.
inline recv_wait sock_recv(socket& s, std::span<std::byte> to, time_point deadline = no_deadline) noexcept {
    return recv_wait(s, to, deadline);
}
inline sendall_wait sock_sendall(socket& s, std::span<const std::byte> from,
                                 time_point deadline = no_deadline) noexcept {
    return sendall_wait(s, from, deadline);
}
inline accept_wait sock_accept(socket& s, time_point deadline = no_deadline) noexcept {
    return accept_wait(s, deadline);
}
inline connect_wait sock_connect(socket& s, const sockaddr* to, socklen_t size,
                                 time_point deadline = no_deadline) noexcept {
    return connect_wait(s, to, size, deadline);
}

}  // namespace crossover::asyncio
