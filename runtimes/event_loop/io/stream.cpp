// Streams: reading by size, separator and line; connecting.
#include "runtimes/event_loop/io/stream.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "runtimes/event_loop/io/addresses.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

namespace crossover::asyncio {

incomplete_read_error::incomplete_read_error(std::string partial, std::optional<std::size_t> expected)
    : std::runtime_error(std::to_string(partial.size()) + " bytes read of " +
                         (expected ? std::to_string(*expected) : "an undefined number of") +
                         " expected bytes"),
      partial_(std::move(partial)),
      expected_(expected) {}

stream_reader::stream_reader(std::size_t limit)
    : lease_(std::make_shared<connection_lease>(
          std::make_shared<stream_connection>(get_running_loop(), limit))) {}

std::string stream_reader::take(std::size_t bytes) const {
    std::string taken(connection().unread().substr(0, bytes));
    connection().consume(taken.size());
    return taken;
}

coro<std::string> stream_reader::read(std::ptrdiff_t n) const {
    const auto lease = lease_;
    stream_connection& c = *lease->connection;
    throw_error();
    if (n == 0) co_return std::string();
    while (n < 0 ? !c.ended() && !c.read_error() : c.unread().empty() && !c.ended() && !c.read_error())
        co_await c.more();
    if (n < 0) throw_error();
    co_return take(n < 0 ? c.unread().size() : static_cast<std::size_t>(n));
}

coro<std::string> stream_reader::readexactly(std::ptrdiff_t n) const {
    if (n < 0) throw std::invalid_argument("readexactly: the size must not be negative");
    const auto lease = lease_;
    stream_connection& c = *lease->connection;
    const auto wanted = static_cast<std::size_t>(n);
    throw_error();
    while (c.unread().size() < wanted) {
        if (c.ended()) throw incomplete_read_error(take(c.unread().size()), wanted);
        co_await c.more();
    }
    co_return take(wanted);
}

namespace {

// Where a separator begins and ends.
struct found_separator {
    std::size_t begin = std::string_view::npos;
    std::size_t end = std::string_view::npos;
};

found_separator find_first_end(std::string_view text, std::size_t from,
                               std::span<const std::string> separators) {
    found_separator first;
    for (const std::string& s : separators) {
        const std::size_t at = text.find(s, from);
        if (at == text.npos || at + s.size() >= first.end) continue;
        first.begin = at;
        first.end = at + s.size();
    }
    return first;
}

}  // namespace

coro<std::string> stream_reader::read_to(std::span<const std::string> separators) const {
    const auto lease = lease_;
    stream_connection& c = *lease->connection;
    throw_error();
    const auto [shortest, longest] = std::ranges::minmax_element(separators, {}, &std::string::size);
    std::size_t searched = 0;  // no separator begins before
    for (;;) {
        const std::string_view unread = c.unread();
        if (const found_separator found = find_first_end(unread, searched, separators);
            found.begin != unread.npos) {
            if (found.begin > c.limit())
                throw limit_overrun_error("Separator is found, but chunk is longer than limit", found.begin);
            co_return take(found.end);
        }
        if (unread.size() >= searched + shortest->size())
            searched = unread.size() + 1 - std::min(longest->size(), unread.size() + 1);
        if (searched > c.limit())
            throw limit_overrun_error("Separator is not found, and chunk exceed the limit", searched);
        if (c.ended()) throw incomplete_read_error(take(unread.size()), std::nullopt);
        co_await c.more();
    }
}

coro<std::string> stream_reader::readuntil(std::string separator) const {
    if (separator.empty()) throw std::invalid_argument("readuntil: the separator must not be empty");
    co_return co_await read_to(std::span(&separator, 1));
}

coro<std::string> stream_reader::readuntil(std::vector<std::string> separators) const {
    if (separators.empty()) throw std::invalid_argument("readuntil: there must be at least one separator");
    for (const std::string& s : separators)
        if (s.empty()) throw std::invalid_argument("readuntil: a separator must not be empty");
    co_return co_await read_to(separators);
}

coro<std::string> stream_reader::readline() const {
    const auto lease = lease_;
    stream_connection& c = *lease->connection;
    std::string problem;
    try {
        co_return co_await readuntil("\n");
    } catch (const incomplete_read_error& e) {
        co_return e.partial();
    } catch (const limit_overrun_error& e) {
        if (c.unread().substr(e.consumed(), 1) == "\n")
            c.consume(e.consumed() + 1);
        else
            c.consume(c.unread().size());
        problem = e.what();
    }
    throw std::length_error(problem);
}

coro<void> stream_writer::drain() const {
    const auto lease = lease_;
    stream_connection& c = *lease->connection;
    if (c.read_error()) std::rethrow_exception(c.read_error());
    // So that a loss that is on its way is told, and a task that writes to a closed stream gives way.
    if (c.closing()) co_await sleep(std::chrono::nanoseconds(0));
    co_await c.drain();
}

stream_pair make_stream(socket s, std::size_t limit) {
    auto c = std::make_shared<stream_connection>(get_running_loop(), limit);
    auto lease = std::make_shared<connection_lease>(c);
    c->open(std::move(s), nullptr);
    return stream_pair(stream_reader(lease), stream_writer(lease));
}

namespace {

coro<socket> connect_to(const socket_address& to) {
    socket s = socket::create(to.family());
    co_await sock_connect(s, to.get(), to.size());
    co_return std::move(s);
}

}  // namespace

coro<stream_pair> open_connection(std::string host, std::uint16_t port, std::size_t limit) {
    const std::vector<socket_address> addresses = co_await resolve(host, port, false);
    std::exception_ptr first;
    for (const socket_address& to : addresses) {
        try {
            socket s = co_await connect_to(to);
            set_no_delay(s);
            co_return make_stream(std::move(s), limit);
        } catch (const std::system_error& e) {
            if (!first)
                first = std::make_exception_ptr(std::system_error(e.code(), "connecting to " + to.text()));
        }
    }
    std::rethrow_exception(first);
}

coro<stream_pair> open_connection(socket connected, std::size_t limit) {
    expect_stream(connected);
    set_no_delay(connected);
    co_return make_stream(std::move(connected), limit);
}

coro<stream_pair> open_unix_connection(std::string path, std::size_t limit) {
    const socket_address to = unix_address(path);
    socket s = co_await connect_to(to);
    co_return make_stream(std::move(s), limit);
}

}  // namespace crossover::asyncio
