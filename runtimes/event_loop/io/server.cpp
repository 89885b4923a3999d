// A server: listening, accepting, and the tasks of its connections.
#include "runtimes/event_loop/io/server.hpp"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {

namespace {

// Servers that are not closed; closing the loop closes them.
class open_servers final : public loop::service {
  public:
    explicit open_servers(loop&) {}
    ~open_servers() override;
    std::set<std::shared_ptr<server::state>> all;
};

constexpr int accepts_per_turn = 64;

}  // namespace

struct server::state : std::enable_shared_from_this<state> {
    struct listener : node {
        listener(state& s, socket l) : node(&on_ready), owner(s), listening(std::move(l)) {}
        static void on_ready(node& n) {
            auto& self = static_cast<listener&>(n);
            const auto alive = self.owner.shared_from_this();
            self.waiting = false;
            if (self.listening) self.accept_all();
        }
        void accept_all();
        void stop();
        state& owner;
        socket listening;
        timer_handle pause;
        bool waiting = false;
    };

    state(loop& l, client_handler h, const server_options& o) : home(l), handler(std::move(h)), options(o) {
        if (options.limit == 0) throw std::invalid_argument("the limit of a stream must not be 0");
    }

    void start();
    void serve(socket s);
    void close();
    void end_if_done() {
        if (closed && clients.empty()) ended.wake_all();
    }

    class [[nodiscard]] end_wait : queued_wait {
      public:
        explicit end_wait(state& s) noexcept : queued_wait(s.ended), state_(s) {}
        bool await_ready() const noexcept { return state_.closed && state_.clients.empty(); }
        void await_suspend(std::coroutine_handle<> h) { wait(h); }
        void await_resume() const { check_cancelled(); }

      private:
        std::string describe() const override { return "server.wait_closed()"; }

        state& state_;
    };

    loop& home;
    client_handler handler;
    server_options options;
    std::list<listener> listeners;
    std::set<std::shared_ptr<stream_connection>> clients;
    wait_list ended;
    future<void> forever;   // while serve_forever() waits: cancelled by close()
    std::string unix_path;  // ours as long as it is that file
    ino_t unix_inode = 0;
    std::shared_ptr<context_values> context;  // in which it began to serve: its handlers begin in copies
    bool serving = false;
    bool closed = false;
};

namespace {

open_servers::~open_servers() {
    const auto left = std::move(all);
    for (const auto& s : left) s->close();
}

}  // namespace

namespace {

// The next one may be fine, and there is no shortage that would pass with time.
bool is_of_one_connection(int error) {
    return error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM;
}

// Of which no stream could be made: the next one may be fine.
void report_lost_client(loop& l) {
    error_report report;
    report.message = "serving a connection failed: it is closed";
    report.exception = std::current_exception();
    l.call_exception_handler(report);
}

void report_failed_accept(loop& l, int error, const char* message) {
    const char* const call = error == EMFILE ? "accept (see ulimit -n)" : "accept";
    error_report report;
    report.message = message;
    report.exception = std::make_exception_ptr(std::system_error(error, std::generic_category(), call));
    l.call_exception_handler(report);
}

}  // namespace

void server::state::listener::accept_all() {
    reactor& r = owner.home.io();
    const int fd = listening.fd();
    for (int i = 0; i < accepts_per_turn && listening; ++i) {
        const int n = r.accept(fd);
        if (n >= 0) {
            try {
                owner.serve(socket(n, socket::non_blocking()));
            } catch (const loop_exit&) {
                throw;
            } catch (const std::exception&) {
                report_lost_client(owner.home);
            }
        } else if (n == -EAGAIN) {
            if (!r.wait(fd, direction::readable, *this)) {
                waiting = true;
                return;
            }
        } else if (is_of_one_connection(-n)) {
            report_failed_accept(owner.home, -n, "accepting a connection failed");
        } else {
            report_failed_accept(owner.home, -n,
                                 "accepting a connection failed: the server pauses for a second");
            pause = owner.home.call_later(std::chrono::seconds(1), [this] { accept_all(); });
            return;
        }
    }
    if (listening) pause = owner.home.call_later(std::chrono::nanoseconds(0), [this] { accept_all(); });
}

void server::state::listener::stop() {
    pause.cancel();
    if (waiting && !owner.home.io().cancel(listening.fd(), direction::readable, *this) &&
        !owner.home.is_closed())
        owner.home.call_soon([alive = owner.shared_from_this()] {});  // its node stands in the ready queue
    waiting = false;
    listening.close();
}

void server::state::start() {
    if (closed) throw std::runtime_error("the server is closed");
    if (serving) return;
    for (listener& l : listeners) {
        if (::listen(l.listening.fd(), options.backlog) < 0)
            throw std::system_error(errno, std::generic_category(), "listen");
        l.listening.watch();
    }
    serving = true;
    context = loop::keep_context();
    for (listener& l : listeners) l.accept_all();
}

namespace {

coro<void> handle_client(client_handler handler, stream_reader reader, stream_writer writer) {
    co_await handler(std::move(reader), std::move(writer));
}

}  // namespace

void server::state::serve(socket s) {
    auto c = std::make_shared<stream_connection>(home, options.limit);
    auto lease = std::make_shared<connection_lease>(c);
    set_no_delay(s);
    std::weak_ptr<stream_connection> weak = c;
    c->open(std::move(s), [self = shared_from_this(), weak] {
        self->clients.erase(weak.lock());
        self->end_if_done();
    });
    clients.insert(c);
    const loop::running_callback in_its_context(context);
    const task<void> t = home.create_task(handle_client(handler, stream_reader(lease), stream_writer(lease)));
    t.add_done_callback([weak](const task<void>& handled) {
        const std::exception_ptr e = handled.cancelled() ? nullptr : handled.exception();
        if (!e && !handled.cancelled()) return;
        if (const auto open = weak.lock()) open->close();
        if (!e) return;
        error_report report;
        report.message = "Unhandled exception in client_connected_cb";
        report.exception = e;
        report.task = handled.name();
        handled.get_loop().call_exception_handler(report);
    });
}

void server::state::close() {
    if (std::exchange(closed, true)) return;
    const auto alive = shared_from_this();
    for (listener& l : listeners) l.stop();
    struct stat now {};
    if (home.of_this_process() && !unix_path.empty() && ::stat(unix_path.c_str(), &now) == 0 &&
        now.st_ino == unix_inode)
        ::unlink(unix_path.c_str());
    if (auto* const all = home.find<open_servers>()) all->all.erase(alive);
    if (forever && !forever.done()) forever.cancel();
    end_if_done();
}

bool server::is_serving() const noexcept { return state_->serving && !state_->closed; }

std::vector<socket_address> server::addresses() const {
    std::vector<socket_address> all;
    if (state_->closed) return all;
    for (const auto& l : state_->listeners) all.push_back(local_address(l.listening));
    return all;
}

std::uint16_t server::port() const {
    const auto all = addresses();
    if (all.empty()) throw std::logic_error("the server is closed");
    return all.front().port();
}

std::size_t server::clients() const noexcept { return state_->clients.size(); }
void server::close() const { state_->close(); }

void server::close_clients() const {
    const auto clients = state_->clients;
    for (const auto& c : clients) c->close();
}

void server::abort_clients() const {
    const auto clients = state_->clients;
    for (const auto& c : clients) c->abort();
}

coro<void> server::start_serving() const {
    const auto s = state_;
    s->start();
    co_await sleep(std::chrono::nanoseconds(0));
}

coro<void> server::wait_closed() const {
    const auto s = state_;
    co_await state::end_wait(*s);
}

coro<void> server::serve_forever() const {
    const auto s = state_;
    if (s->forever) throw std::runtime_error("another task awaits serve_forever() of this server already");
    s->start();
    struct one_at_a_time {
        explicit one_at_a_time(state& of) : self(of) { self.forever = future<void>(self.home); }
        ~one_at_a_time() { self.forever = future<void>(); }
        state& self;
    } const here(*s);
    std::exception_ptr cancelled;
    try {
        co_await s->forever;
    } catch (const cancelled_error&) {
        cancelled = std::current_exception();
    }
    s->close();
    co_await state::end_wait(*s);
    std::rethrow_exception(cancelled);
}

coro<void> server::enter() const { co_return; }

coro<void> server::leave(std::exception_ptr) const {
    close();
    co_await wait_closed();
}

namespace {

server begin(const std::shared_ptr<server::state>& s) {
    if (s->options.start_serving) s->start();
    s->home.use<open_servers>().all.insert(s);
    return server(s);
}

void bind_to(const socket& s, const socket_address& at) {
    if (::bind(s.fd(), at.get(), at.size()) < 0)
        throw std::system_error(errno, std::generic_category(), "listening at " + at.text());
}

// Nothing if this machine has no such address, or not its family: a host may have others. Throws
// std::system_error.
std::optional<socket> bound_to(const socket_address& at) {
    const int on = 1;
    try {
        socket s = socket::create(at.family());
        ::setsockopt(s.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (at.family() == AF_INET6) ::setsockopt(s.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        bind_to(s, at);
        return s;
    } catch (const std::system_error& e) {
        const int error = e.code().value();
        if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) return std::nullopt;
        throw;
    }
}

// Of a Unix server that is to remove its socket.
void note_file(server::state& s) {
    const socket_address at = local_address(s.listeners.front().listening);
    if (!s.options.cleanup_socket || at.family() != AF_UNIX) return;
    const std::string path = at.text();  // empty for one without a name in the file system
    struct stat ours {};
    if (::stat(path.c_str(), &ours) < 0) return;
    s.unix_path = path;
    s.unix_inode = ours.st_ino;
}

}  // namespace

coro<server> start_server(client_handler handler, std::string host, std::uint16_t port,
                          server_options options) {
    const std::vector<socket_address> addresses = co_await resolve(host, port, true);
    auto made = std::make_shared<server::state>(get_running_loop(), std::move(handler), options);
    std::set<std::string> seen;  // a table of hosts may name an address twice
    for (const socket_address& at : addresses) {
        if (!seen.insert(at.text()).second) continue;
        if (std::optional<socket> s = bound_to(at)) made->listeners.emplace_back(*made, std::move(*s));
    }
    if (made->listeners.empty())
        throw std::system_error(EADDRNOTAVAIL, std::generic_category(),
                                "this machine has no address of the host '" + host + "' to listen at");
    co_return begin(made);
}

coro<server> start_server(client_handler handler, socket bound, server_options options) {
    expect_stream(bound);
    auto made = std::make_shared<server::state>(get_running_loop(), std::move(handler), options);
    made->listeners.emplace_back(*made, std::move(bound));
    note_file(*made);
    co_return begin(made);
}

coro<server> start_unix_server(client_handler handler, std::string path, server_options options) {
    auto made = std::make_shared<server::state>(get_running_loop(), std::move(handler), options);
    struct stat old {};
    if (::stat(path.c_str(), &old) == 0 && S_ISSOCK(old.st_mode)) ::unlink(path.c_str());
    socket s = socket::create(AF_UNIX);
    bind_to(s, unix_address(path));
    made->listeners.emplace_back(*made, std::move(s));
    note_file(*made);
    co_return begin(made);
}

}  // namespace crossover::asyncio
