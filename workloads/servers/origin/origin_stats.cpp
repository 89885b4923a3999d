// A small blocking GET: Beast parses the reply, nlohmann the JSON in it.
#include "workloads/servers/origin/origin_stats.hpp"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "workloads/servers/http/body_checksum.hpp"
#include "workloads/servers/origin/origin_error.hpp"

namespace crossover {

namespace {

using reply_parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

// False if the connection broke or the time ran out (errno says which); no bytes at all make an idle
// connection's end.
bool read_reply(int fd, reply_parser& parser) {
    boost::beast::flat_buffer buffer;
    parser.eager(true);
    while (!parser.is_done()) {
        const auto room = buffer.prepare(4096);
        const ssize_t got = ::recv(fd, room.data(), room.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = ECONNRESET;
        if (got <= 0) return false;
        buffer.commit(static_cast<std::size_t>(got));
        boost::beast::error_code error;
        buffer.consume(parser.put(buffer.data(), error));
        if (error && error != boost::beast::http::error::need_more) {
            errno = EBADMSG;
            return false;
        }
    }
    return true;
}

std::optional<origin_stats> read_stats(const std::string& text) {
    const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    origin_stats stats;
    const std::pair<const char*, std::uint64_t*> members[] = {
        {"cpu_user_ns", &stats.cpu_user_ns}, {"cpu_sys_ns", &stats.cpu_sys_ns},
        {"requests", &stats.requests},       {"connections", &stats.connections},
        {"in_flight", &stats.in_flight},     {"peak_in_flight", &stats.peak_in_flight}};
    for (const auto& [key, member] : members) {
        const auto found = json.find(key);
        if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
        *member = found->get<std::uint64_t>();
    }
    return stats;
}

}  // namespace

// Takes what it wants out of the reply, which is Beast's.
template <class Take>
auto stats_connection::exchange(std::string_view target, Take take) {
    const std::string request =
        "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + to_string(server_) + "\r\n\r\n";
    // A server may have closed the kept connection in the meantime; a fresh one must work.
    for (bool fresh = !socket_;; fresh = true) {
        if (!socket_) socket_ = server_socket(server_, "the server");
        reply_parser parser;
        if (::send(socket_.fd(), request.data(), request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(request.size()) &&
            read_reply(socket_.fd(), parser)) {
            if (!parser.keep_alive()) socket_.close();
            return take(parser.get());
        }
        const int reason = errno;
        socket_.close();
        if (fresh)
            throw origin_error("the server at " + to_url(server_) + " does not answer " +
                               std::string(target) + ": " +
                               (reason == EAGAIN ? "no reply within 5 s" : std::strerror(reason)));
    }
}

std::optional<origin_stats> stats_connection::ask(std::string_view target) {
    return exchange(target, [](const auto& reply) -> std::optional<origin_stats> {
        if (reply.result_int() != 200) return std::nullopt;
        return read_stats(reply.body());
    });
}

external_reply stats_connection::first_page() {
    return exchange("/", [](const auto& reply) {
        body_checksum sum;
        sum.add(std::as_bytes(std::span(reply.body())));
        return external_reply{reply.result_int(), sum.size(), sum.value()};
    });
}

}  // namespace crossover
