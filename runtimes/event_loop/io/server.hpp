// start_server: a coroutine for each connection that comes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtimes/event_loop/io/addresses.hpp"
#include "runtimes/event_loop/io/stream.hpp"

namespace crossover::asyncio {

using client_handler = std::function<coro<void>(stream_reader, stream_writer)>;

class server_options {
  public:
    server_options() {}
    std::size_t limit = default_stream_limit;  // of each reader
    int backlog = 100;
    bool start_serving = true;   // else only the addresses are taken, and nobody can connect yet
    bool cleanup_socket = true;  // of a Unix server: removes its file when it closes
};

// A reference to a server; the loop keeps it until it is closed. Belongs to the loop's thread. In with() it
// is closed and waited for at the end of the body.
class server {
  public:
    struct state;
    explicit server(std::shared_ptr<state> s) noexcept : state_(std::move(s)) {}

    bool is_serving() const noexcept;
    // Of each listening socket; none once it is closed.
    std::vector<socket_address> addresses() const;
    std::uint16_t port() const;  // of the first
    // Connections that are open.
    std::size_t clients() const noexcept;

    // Listens and accepts from now on; no effect if it does already. Throws std::runtime_error if the server
    // is closed, std::system_error if the system refuses.
    coro<void> start_serving() const;
    // Accepts no more; connections live on.
    void close() const;
    // Closes all connections after what has been written; abort_clients() resets them.
    void close_clients() const;
    void abort_clients() const;
    // Until the server is closed and its last connection as well.
    coro<void> wait_closed() const;
    // Serves until it is cancelled, which close() does too: closes the server, waits for its last connection
    // and throws cancelled_error. One task at a time; throws std::runtime_error for another, and if the
    // server is closed.
    coro<void> serve_forever() const;

    // --- for with() ---
    coro<void> enter() const;
    coro<void> leave(std::exception_ptr thrown) const;

  private:
    std::shared_ptr<state> state_;
};

// Port 0: a free one. The handler runs as a task of its own; what it throws goes to the exception handler,
// and the connection is closed if it has not done so; one that returns leaves it to the last reader or
// writer. Throws std::system_error.
coro<server> start_server(client_handler handler, std::string host, std::uint16_t port,
                          server_options options = server_options());
// At a socket that is bound already, of whatever family. Throws std::invalid_argument if it is no stream
// socket.
coro<server> start_server(client_handler handler, socket bound, server_options options = server_options());
// Replaces a socket that lies at the path.
coro<server> start_unix_server(client_handler handler, std::string path,
                               server_options options = server_options());

}  // namespace crossover::asyncio
