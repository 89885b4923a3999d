// What a stream's reader and writer share.
#include "runtimes/event_loop/io/stream_connection.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace crossover::asyncio {
namespace {

constexpr std::size_t bytes_per_read = 256 * 1024;  // as CPython, whose streams then pause at the same byte

std::exception_ptr connection_error(int error) {
    return std::make_exception_ptr(std::system_error(error, std::generic_category(), "connection lost"));
}

}  // namespace

open_connections::~open_connections() {
    while (!all_.empty()) all_.front()->abort();
}

void stream_connection::open(socket s, std::function<void()> on_closed) {
    socket_ = std::move(s);
    socket_.watch();
    on_closed_ = std::move(on_closed);
    closed_ = false;
    registry_ = &loop_.use<open_connections>();
    place_ = registry_->all_.insert(registry_->all_.end(), shared_from_this());
    look_soon();
}

void stream_connection::consume(std::size_t bytes) noexcept {
    read_ += bytes;
    if (read_ == in_.size()) {
        in_.clear();
        read_ = 0;
    } else if (read_ > in_.size() / 2) {
        in_.erase(0, read_);
        read_ = 0;
    }
    if (!reading_paused_ || unread().size() > limit_) return;
    reading_paused_ = false;
    go_on_reading();
}

void stream_connection::feed(std::string_view data) {
    if (ended_) throw std::logic_error("a stream that has ended cannot be fed");
    in_ += data;
    if (!data.empty()) wake_reader();
}

void stream_connection::end() {
    ended_ = true;
    wake_reader();
}

void stream_connection::fail_reading(std::exception_ptr e) {
    read_error_ = std::move(e);
    if (reader_) reader_->failed_ = true;
    wake_reader();
}

bool stream_connection::fill() {
    if (ended_ || read_error_) return true;
    if (closed_) return false;  // fed by hand
    std::array<std::byte, bytes_per_read> piece;
    const ssize_t n = loop_.io().recv(socket_.fd(), piece);
    if (n == -EAGAIN) return false;
    if (n > 0) {
        in_.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(n));
        reading_paused_ = has_too_much();
    } else if (n == 0) {
        ended_ = true;
    } else {
        lose(static_cast<int>(-n));
    }
    return true;
}

// One read in each iteration, as long as there is something.
void stream_connection::look_soon() noexcept {
    arrival_at_ = stand::in_ready_queue;
    loop_.make_ready(arrival_);
}

bool stream_connection::wait_for_arrival() {
    while (arrival_at_ == stand::nowhere) {
        if (!loop_.io().wait(socket_.fd(), direction::readable, arrival_))
            arrival_at_ = stand::in_reactor;
        else if (fill())
            return false;
    }
    return true;
}

// Lest nobody notice the end of what is left unread.
void stream_connection::go_on_reading() noexcept {
    if (may_read() && !reading_paused_ && arrival_at_ == stand::nowhere) look_soon();
}

void stream_connection::stop_reading() noexcept {
    if (arrival_at_ == stand::in_reactor && loop_.io().cancel(socket_.fd(), direction::readable, arrival_))
        arrival_at_ = stand::nowhere;
}

void stream_connection::on_arrival(node& n) {
    stream_connection& self = static_cast<arrival_node&>(n).owner;
    const auto alive = self.shared_from_this();
    self.arrival_at_ = stand::nowhere;
    if (!self.may_read()) return;
    if (!self.fill() && self.wait_for_arrival()) return;
    self.resume_reader();
    if (!self.may_read() || self.reading_paused_ || self.arrival_at_ != stand::nowhere) return;
    if (self.fill() || !self.wait_for_arrival()) self.go_on_reading();
}

void stream_connection::wake_reader() {
    more_wait* const w = std::exchange(reader_, nullptr);
    if (w) wake(*w->task_);
}

// Inside this call: it asks for more, as a rule, before anybody else has to.
void stream_connection::resume_reader() {
    more_wait* const w = std::exchange(reader_, nullptr);
    if (!w) return;
    task_state& t = *w->task_;
    t.awaiting = nullptr;
    try {
        t.run(t);
    } catch (...) {  // a loop_exit
        go_on_reading();
        throw;
    }
}

bool stream_connection::more_wait::await_ready() {
    stream_connection& c = connection_;
    if (c.reader_)
        throw std::runtime_error("a stream is read by one task at a time, and another waits for it already");
    give_way_ = !running_loop->may_go_on();
    c.reading_paused_ = false;
    if (give_way_ || c.arrival_at_ == stand::in_reactor || !c.fill()) return false;
    c.go_on_reading();
    note_error();
    return true;
}

bool stream_connection::more_wait::await_suspend(std::coroutine_handle<> h) {
    stream_connection& c = connection_;
    if (give_way_) {
        if (!c.closed_ && c.arrival_at_ == stand::nowhere) c.look_soon();  // nobody has seen an EAGAIN
    } else if (!c.closed_ && !c.wait_for_arrival()) {
        note_error();
        return false;
    }
    task_ = &running_task();
    c.reader_ = this;
    park(*task_, h, *this);
    return true;
}

bool stream_connection::more_wait::cancel(task_state& t, std::string_view message) {
    if (connection_.reader_ != this) return false;
    connection_.reader_ = nullptr;
    end_wait(t, message);
    wake(t);
    return true;
}

std::string stream_connection::more_wait::describe() const {
    if (connection_.closed_) return "data of a stream";
    return "data of the stream on descriptor " + std::to_string(connection_.socket_.fd());
}

void stream_connection::write(std::string_view data) {
    if (ends_) throw std::logic_error("cannot write to a stream after write_eof()");
    if (closed_ || closing_ || lost_) return;
    out_ += data;
    if (waits_to_send_)
        pause_if_full();
    else
        send_more();
}

void stream_connection::write_end() {
    if (closed_ || ends_) return;
    ends_ = true;
    if (!waits_to_send_) send_more();
}

void stream_connection::send_more() {
    reactor& r = loop_.io();
    while (sent_ < out_.size()) {
        const auto rest = std::as_bytes(std::span(out_).subspan(sent_));
        const ssize_t n = r.send_now(socket_.fd(), rest);  // the program may use the descriptor, too
        if (n >= 0) {
            sent_ += static_cast<std::size_t>(n);
        } else if (n != -EAGAIN) {
            return lose(static_cast<int>(-n));
        } else if (!r.wait(socket_.fd(), direction::writable, writable_)) {
            waits_to_send_ = true;
            break;
        }
    }
    if (sent_ == out_.size()) {
        out_.clear();
        sent_ = 0;
    } else if (sent_ > out_.size() / 2) {
        out_.erase(0, sent_);
        sent_ = 0;
    }
    pause_if_full();
    if (paused_ && unsent() <= low_) {
        paused_ = false;
        drainers_.wake_all();
    }
    if (!out_.empty()) return;
    if (closing_)
        close_now();
    else if (ends_)
        r.shut_down_sending(socket_.fd());
}

void stream_connection::on_writable(node& n) {
    stream_connection& self = static_cast<writable_node&>(n).owner;
    const auto alive = self.shared_from_this();
    self.waits_to_send_ = false;
    if (!self.closed_) self.send_more();
}

void stream_connection::lose(int error) {
    if (!lost_) lost_ = connection_error(error);
    if (!read_error_) fail_reading(lost_);
    close_now();
}

void stream_connection::close() {
    if (closed_ || std::exchange(closing_, true)) return;
    if (unsent() == 0) return close_now();
    stop_reading();
    ended_ = true;
    wake_reader();
}

void stream_connection::abort() {
    if (closed_) return;
    const linger at_once{1, 0};
    if (loop_.of_this_process())  // else the parent still uses it
        ::setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close_now();
}

void stream_connection::close_now() {
    if (closed_) return;
    const auto alive = shared_from_this();
    closing_ = closed_ = true;
    if (!lost_) ended_ = true;
    wake_reader();
    stop_reading();
    // A node that stands in the ready queue finds the connection closed; until then it keeps it.
    const bool sends_later = std::exchange(waits_to_send_, false) &&
                             !loop_.io().cancel(socket_.fd(), direction::writable, writable_);
    if ((sends_later || arrival_at_ != stand::nowhere) && !loop_.is_closed()) loop_.call_soon([alive] {});
    socket_.close();
    out_.clear();
    sent_ = 0;
    paused_ = false;
    drainers_.wake_all();
    closers_.wake_all();
    registry_->all_.erase(place_);
    if (on_closed_) std::exchange(on_closed_, nullptr)();
}

void stream_connection::throw_if_lost(bool or_closed) const {
    if (lost_) std::rethrow_exception(lost_);
    if (or_closed && closed_) std::rethrow_exception(connection_error(ECONNRESET));
}

}  // namespace crossover::asyncio
