// Sockets: try, wait, try again.
#include "runtimes/event_loop/io/socket.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace crossover::asyncio {

socket::socket(int fd) : fd_(fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (!(flags & O_NONBLOCK) && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
        const int error = errno;
        fd_ = -1;
        throw std::system_error(error, std::generic_category(),
                                "making descriptor " + std::to_string(fd) + " non-blocking");
    }
}

socket socket::create(int family, int type) {
    const int fd = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "socket (see ulimit -n)");
    return socket(fd, non_blocking());
}

void socket::close() noexcept {
    if (fd_ < 0) return;
    if (watcher_ && loop::alive(watcher_, watcher_id_))
        watcher_->io().close(fd_);
    else
        ::close(fd_);
    fd_ = -1;
    watcher_ = nullptr;
}

void socket::watch() {
    loop& l = get_running_loop();
    if (watcher_ == &l && watcher_id_ == l.id()) return;
    if (watcher_ && loop::alive(watcher_, watcher_id_))
        throw std::logic_error("this socket belongs to another event loop");
    l.attach(fd_);
    watcher_ = &l;
    watcher_id_ = l.id();
}

socket_wait::socket_wait(socket& s, direction d, time_point deadline, attempt_function attempt,
                         const char* what) noexcept
    : socket_(s),
      attempt_(attempt),
      what_(what),
      ready_(*this),
      late_(*this),
      deadline_(deadline),
      direction_(d) {}

socket_wait::~socket_wait() {
    if (!task_) return;
    if (timer_heap::armed(late_)) task_->result.owner->timers().remove(late_);
    if (!settled_) task_->result.owner->io().cancel(socket_.fd(), direction_, ready_);
}

bool socket_wait::await_ready() {
    // Whoever never has to wait must not keep the loop for itself.
    give_way_ = !running_loop->may_go_on();
    if (give_way_) return false;
    return settled_ = attempt_(*this);
}

bool socket_wait::await_suspend(std::coroutine_handle<> h) {
    loop& l = *running_loop;
    task_state& t = *l.current();
    socket_.watch();
    task_ = &t;
    if (give_way_)
        l.make_ready(ready_);
    else if (!wait_in_reactor())
        return false;
    if (deadline_ != no_deadline) {
        l.timers().insert(late_, deadline_);
        late_pending_ = true;
    }
    park(t, h, *this);
    return true;
}

bool socket_wait::wait_in_reactor() {
    reactor& r = task_->result.owner->io();
    try {
        while (r.wait(socket_.fd(), direction_, ready_))
            if (attempt_(*this)) return !(settled_ = true);
    } catch (const std::system_error& e) {
        result_ = -e.code().value();
        return !(settled_ = true);
    }
    return true;
}

void socket_wait::resume() {
    task_->awaiting = nullptr;
    task_->run(*task_);
}

bool socket_wait::disarm() noexcept {
    if (timer_heap::armed(late_)) {
        task_->result.owner->timers().remove(late_);
        late_pending_ = false;
    }
    return !late_pending_;
}

void socket_wait::on_ready(node& n) {
    socket_wait& self = static_cast<ready_node&>(n).owner;
    if (!self.task_->result.has(flag::interrupted) && !self.attempt_(self) && self.wait_in_reactor()) return;
    self.settled_ = true;
    if (self.disarm()) self.resume();
}

void socket_wait::on_deadline(node& n) {
    socket_wait& self = static_cast<deadline_node&>(n).owner;
    self.late_pending_ = false;
    if (!self.settled_) {
        if (!self.task_->result.owner->io().cancel(self.socket_.fd(), self.direction_, self.ready_))
            return;  // it became ready just now: its node stands in the ready queue
        self.settled_ = true;
        self.result_ = -ETIMEDOUT;
    }
    self.resume();
}

bool socket_wait::cancel(task_state& t, std::string_view message) {
    if (settled_) return false;
    end_wait(t, message);
    if (!t.result.owner->io().cancel(socket_.fd(), direction_, ready_))
        return true;  // its node stands in the ready queue and resumes the task
    settled_ = true;
    if (disarm()) wake(t);
    return true;
}

std::string socket_wait::describe() const {
    std::string text = std::string(what_) + " on descriptor " + std::to_string(socket_.fd());
    if (deadline_ != no_deadline) text += ", " + seconds_until(deadline_) + " left";
    return text;
}

void socket_wait::finish() const {
    if (task_) check_interrupt(*task_);
    if (result_ >= 0) return;
    if (result_ == -ETIMEDOUT && deadline_ != no_deadline && time_point::clock::now() >= deadline_)
        throw timeout_error(std::string(what_) + " passed its deadline");
    throw std::system_error(static_cast<int>(-result_), std::generic_category(), what_);
}

bool recv_wait::attempt(socket_wait& w) {
    auto& self = static_cast<recv_wait&>(w);
    self.result_ = self.to_.empty() ? 0 : running_loop->io().recv(self.socket_.fd(), self.to_);
    return self.result_ != -EAGAIN;
}

bool sendall_wait::attempt(socket_wait& w) {
    auto& self = static_cast<sendall_wait&>(w);
    reactor& r = running_loop->io();
    self.result_ = 0;
    while (!self.from_.empty()) {
        const ssize_t n = r.send(self.socket_.fd(), self.from_);
        if (n == -EAGAIN) return false;
        if (n < 0) {
            self.result_ = n;
            return true;
        }
        self.from_ = self.from_.subspan(static_cast<std::size_t>(n));
    }
    self.result_ = r.flush(self.socket_.fd());
    return self.result_ != -EAGAIN;
}

bool accept_wait::attempt(socket_wait& w) {
    auto& self = static_cast<accept_wait&>(w);
    self.result_ = running_loop->io().accept(self.socket_.fd());
    if (self.result_ == -EAGAIN) return false;
    if (self.result_ >= 0) self.accepted_ = socket(static_cast<int>(self.result_), socket::non_blocking());
    return true;
}

connect_wait::connect_wait(socket& s, const sockaddr* to, socklen_t size, time_point deadline) noexcept
    : socket_wait(s, direction::writable, deadline, &attempt, "connect"), size_(size) {
    std::memcpy(&to_, to, std::min<std::size_t>(size, sizeof to_));
}

// Asked again, connect() tells whether the connection stands, and if not, what became of it.
bool connect_wait::attempt(socket_wait& w) {
    auto& self = static_cast<connect_wait&>(w);
    self.result_ = 0;
    if (::connect(self.socket_.fd(), reinterpret_cast<const sockaddr*>(&self.to_), self.size_) == 0)
        return true;
    if (errno == EINPROGRESS || errno == EALREADY || errno == EINTR) {
        self.begun_ = true;
        return false;
    }
    if (errno != EISCONN || !self.begun_) self.result_ = -errno;
    return true;
}

}  // namespace crossover::asyncio
