// Streams: open_connection, and the reader and writer that it and start_server give.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtimes/event_loop/io/addresses.hpp"
#include "runtimes/event_loop/io/stream_connection.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"

namespace crossover::asyncio {

inline constexpr std::size_t default_stream_limit = 64 * 1024;

// The stream ended before all that was asked for had come.
class incomplete_read_error : public std::runtime_error {
  public:
    incomplete_read_error(std::string partial, std::optional<std::size_t> expected);
    const std::string& partial() const noexcept { return partial_; }  // no longer in the stream
    std::optional<std::size_t> expected() const noexcept { return expected_; }

  private:
    std::string partial_;
    std::optional<std::size_t> expected_;
};

// The separator did not come within the reader's limit. The data is still in the stream.
class limit_overrun_error : public std::runtime_error {
  public:
    limit_overrun_error(const std::string& message, std::size_t consumed)
        : std::runtime_error(message), consumed_(consumed) {}
    std::size_t consumed() const noexcept { return consumed_; }  // how much to read to be past it

  private:
    std::size_t consumed_;
};

// Closes the connection when the last reader and writer of it have gone.
class connection_lease {
  public:
    explicit connection_lease(std::shared_ptr<stream_connection> c) noexcept : connection(std::move(c)) {}
    connection_lease(const connection_lease&) = delete;
    connection_lease& operator=(const connection_lease&) = delete;
    ~connection_lease() { connection->close(); }
    const std::shared_ptr<stream_connection> connection;
};

// May be copied; belongs to the loop's thread, and one task at a time reads.
class stream_reader {
  public:
    explicit stream_reader(std::shared_ptr<connection_lease> lease) noexcept : lease_(std::move(lease)) {}
    // A reader that is fed by hand, in the running loop.
    explicit stream_reader(std::size_t limit = default_stream_limit);

    // Up to n bytes, at least one; empty only at the end of the stream. A negative n: all until the end.
    coro<std::string> read(std::ptrdiff_t n = -1) const;
    // Exactly n bytes, or incomplete_read_error.
    coro<std::string> readexactly(std::ptrdiff_t n) const;
    // Up to and including the separator. Throws incomplete_read_error at the end of the stream,
    // limit_overrun_error when the separator lies beyond the limit.
    coro<std::string> readuntil(std::string separator = "\n") const;
    // The same up to the separator that ends first.
    coro<std::string> readuntil(std::vector<std::string> separators) const;
    // A line with its end, or what is left at the end of the stream. A line beyond the limit is dropped and
    // std::length_error is thrown.
    coro<std::string> readline() const;
    // All has been read and no more will come.
    bool at_eof() const noexcept { return connection().ended() && connection().unread().empty(); }
    std::exception_ptr exception() const noexcept { return connection().read_error(); }

    void feed_data(std::string_view data) const { connection().feed(data); }
    void feed_eof() const { connection().end(); }
    void set_exception(std::exception_ptr e) const { connection().fail_reading(std::move(e)); }

  private:
    stream_connection& connection() const noexcept { return *lease_->connection; }
    void throw_error() const {
        if (connection().read_error()) std::rethrow_exception(connection().read_error());
    }
    std::string take(std::size_t bytes) const;
    coro<std::string> read_to(std::span<const std::string> separators) const;

    std::shared_ptr<connection_lease> lease_;
};

// May be copied; belongs to the loop's thread.
class stream_writer {
  public:
    explicit stream_writer(std::shared_ptr<connection_lease> lease) noexcept : lease_(std::move(lease)) {}

    // Sends what can be sent at once and keeps the rest to send it when the peer takes it. Ignored once the
    // connection is closed or lost, which drain() tells. Throws std::logic_error after write_eof().
    void write(std::string_view data) const { connection().write(data); }
    // Each of them in turn.
    template <class Range>
    void writelines(const Range& all) const {
        for (const std::string_view data : all) write(data);
    }
    // Waits while much is unsent. Throws std::system_error if the connection is lost, or was closed before.
    coro<void> drain() const;
    // Ends the stream towards the peer after what has been written.
    void write_eof() const { connection().write_end(); }
    // Closes after what has been written; the reader is at its end.
    void close() const { connection().close(); }
    // Resets the connection; what is unsent is dropped.
    void abort() const { connection().abort(); }
    bool is_closing() const noexcept { return connection().closing() || connection().closed(); }
    // Throws std::system_error if the connection was lost.
    stream_connection::closed_wait wait_closed() const noexcept { return connection().until_closed(); }
    std::size_t unsent() const noexcept { return connection().unsent(); }
    // drain() waits from above `high` bytes until `low`. Throws std::invalid_argument if `low` is above
    // `high`.
    void set_write_buffer_limits(std::size_t high, std::size_t low) const {
        connection().set_limits(high, low);
    }
    int fd() const noexcept { return connection().fd(); }
    // As long as the connection is open; else they throw std::system_error.
    socket_address peer_address() const { return asyncio::peer_address(connection().own_socket()); }
    socket_address local_address() const { return asyncio::local_address(connection().own_socket()); }

  private:
    stream_connection& connection() const noexcept { return *lease_->connection; }
    std::shared_ptr<connection_lease> lease_;
};

using stream_pair = std::pair<stream_reader, stream_writer>;

// Makes a stream of a connected socket, in the running loop.
stream_pair make_stream(socket s, std::size_t limit = default_stream_limit);

// Tries the host's addresses in turn. Throws std::system_error.
coro<stream_pair> open_connection(std::string host, std::uint16_t port,
                                  std::size_t limit = default_stream_limit);
coro<stream_pair> open_unix_connection(std::string path, std::size_t limit = default_stream_limit);
// Over a socket that is connected already, of whatever family. Throws std::invalid_argument if it is no
// stream socket.
coro<stream_pair> open_connection(socket connected, std::size_t limit = default_stream_limit);

}  // namespace crossover::asyncio
