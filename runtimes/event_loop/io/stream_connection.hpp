// What a stream's reader and writer share: the socket, what was read ahead, what is still to be sent.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/sync/wait_list.hpp"

namespace crossover::asyncio {

class stream_connection;

// The connections of a loop that are open; closing the loop ends them.
class open_connections final : public loop::service {
  public:
    explicit open_connections(loop&) {}
    ~open_connections() override;

  private:
    friend class stream_connection;
    std::list<std::shared_ptr<stream_connection>> all_;
};

// Reads ahead, so that the peer's end or reset is noticed though nobody reads, but no more than twice its
// limit and one read beyond; goes on when no more than its limit is left, or when somebody waits for more.
// Writes by itself.
class stream_connection : public std::enable_shared_from_this<stream_connection> {
  public:
    // Without a socket: what is read comes from feed(). Throws std::invalid_argument for a limit of 0.
    stream_connection(loop& l, std::size_t limit)
        : loop_(l), limit_(limit), arrival_(*this), writable_(*this) {
        if (limit == 0) throw std::invalid_argument("the limit of a stream must not be 0");
    }
    stream_connection(const stream_connection&) = delete;
    stream_connection& operator=(const stream_connection&) = delete;

    // Takes the socket over. `on_closed` is called when it has been closed.
    void open(socket s, std::function<void()> on_closed);

    // --- reading ---
    std::string_view unread() const noexcept { return std::string_view(in_).substr(read_); }
    void consume(std::size_t bytes) noexcept;
    std::size_t limit() const noexcept { return limit_; }
    bool ended() const noexcept { return ended_; }
    const std::exception_ptr& read_error() const noexcept { return read_error_; }
    void feed(std::string_view data);
    void end();
    void fail_reading(std::exception_ptr e);

    // Waits until there is more to read, or the end. Throws the error that it meets, and if another task
    // waits already; an error that comes between its wake and its resumption is left to the next.
    class [[nodiscard]] more_wait : pending {
      public:
        explicit more_wait(stream_connection& c) noexcept : connection_(c) {}
        more_wait(const more_wait&) = delete;
        more_wait& operator=(const more_wait&) = delete;
        ~more_wait() {
            if (connection_.reader_ == this) connection_.reader_ = nullptr;
        }
        bool await_ready();
        bool await_suspend(std::coroutine_handle<> h);
        void await_resume() const {
            if (task_) check_interrupt(*task_);
            if (failed_) std::rethrow_exception(connection_.read_error_);
        }

      private:
        friend class stream_connection;
        bool cancel(task_state& t, std::string_view message) override;
        std::string describe() const override;
        void note_error() noexcept { failed_ = connection_.read_error_ != nullptr; }
        stream_connection& connection_;
        task_state* task_ = nullptr;
        bool give_way_ = false;
        bool failed_ = false;
    };
    more_wait more() noexcept { return more_wait(*this); }

    // --- writing ---
    void write(std::string_view data);
    void write_end();
    std::size_t unsent() const noexcept { return out_.size() - sent_; }
    // Draining waits from above `high` until `low`.
    void set_limits(std::size_t high, std::size_t low) {
        if (low > high)
            throw std::invalid_argument("the low mark of a stream must not be above the high one");
        high_ = high;
        low_ = low;
        pause_if_full();
    }
    // Closes once all has been sent; the reader is at its end now.
    void close();
    // Drops what has not been sent and resets the connection.
    void abort();
    bool closing() const noexcept { return closing_; }
    bool closed() const noexcept { return closed_; }
    int fd() const noexcept { return socket_.fd(); }
    const socket& own_socket() const noexcept { return socket_; }
    loop& home() const noexcept { return loop_; }

    class [[nodiscard]] drain_wait : queued_wait {
      public:
        explicit drain_wait(stream_connection& c) noexcept : queued_wait(c.drainers_), connection_(c) {}
        bool await_ready() const noexcept { return !connection_.paused_ || connection_.lost_; }
        void await_suspend(std::coroutine_handle<> h) { wait(h); }
        void await_resume() const {
            check_cancelled();
            connection_.throw_if_lost(!suspended());
        }

      private:
        std::string describe() const override { return "stream_writer.drain()"; }

        stream_connection& connection_;
    };
    drain_wait drain() noexcept { return drain_wait(*this); }

    class [[nodiscard]] closed_wait : queued_wait {
      public:
        explicit closed_wait(stream_connection& c) noexcept : queued_wait(c.closers_), connection_(c) {}
        bool await_ready() const noexcept { return connection_.closed_; }
        void await_suspend(std::coroutine_handle<> h) { wait(h); }
        void await_resume() const {
            check_cancelled();
            if (connection_.lost_) std::rethrow_exception(connection_.lost_);
        }

      private:
        std::string describe() const override { return "stream_writer.wait_closed()"; }

        stream_connection& connection_;
    };
    closed_wait until_closed() noexcept { return closed_wait(*this); }

  private:
    friend class open_connections;
    struct arrival_node : node {
        explicit arrival_node(stream_connection& c) noexcept : node(&on_arrival), owner(c) {}
        stream_connection& owner;
    };
    struct writable_node : node {
        explicit writable_node(stream_connection& c) noexcept : node(&on_writable), owner(c) {}
        stream_connection& owner;
    };
    static void on_arrival(node& n);
    static void on_writable(node& n);

    bool fill();  // false: nothing yet
    bool may_read() const noexcept { return !closed_ && !ended_ && !read_error_; }
    bool has_too_much() const noexcept {
        return unread().size() > limit_ && unread().size() - limit_ > limit_;
    }
    bool wait_for_arrival();  // false: something has come meanwhile
    void look_soon() noexcept;
    void go_on_reading() noexcept;
    void stop_reading() noexcept;
    void wake_reader();
    void resume_reader();
    void send_more();
    void pause_if_full() noexcept { paused_ = paused_ || unsent() > high_; }
    void lose(int error);
    void close_now();
    void throw_if_lost(bool or_closed) const;

    loop& loop_;
    socket socket_;
    std::function<void()> on_closed_;
    open_connections* registry_ = nullptr;
    std::list<std::shared_ptr<stream_connection>>::iterator place_;

    std::size_t limit_;
    std::string in_;
    std::size_t read_ = 0;
    more_wait* reader_ = nullptr;
    enum class stand { nowhere, in_reactor, in_ready_queue };
    arrival_node arrival_;
    stand arrival_at_ = stand::nowhere;
    bool reading_paused_ = false;
    std::exception_ptr read_error_;
    bool ended_ = false;

    std::string out_;
    std::size_t sent_ = 0;
    std::size_t high_ = 64 * 1024;
    std::size_t low_ = 16 * 1024;
    writable_node writable_;
    wait_list drainers_;
    wait_list closers_;
    std::exception_ptr lost_;  // by an error, not by abort()
    bool waits_to_send_ = false;
    bool paused_ = false;
    bool ends_ = false;  // write_end() was called
    bool closing_ = false;
    bool closed_ = true;
};

}  // namespace crossover::asyncio
