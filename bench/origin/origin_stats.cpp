// A small blocking GET: Beast parses the reply, nlohmann the JSON in it.
#include "bench/origin/origin_stats.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

#include "runtimes/limits.hpp"
#include "workloads/body_checksum.hpp"

namespace crossover {

namespace {

constexpr timeval patience{5, 0};

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

stats_connection::~stats_connection() { close(); }

stats_connection::stats_connection(stats_connection&& other) noexcept
    : server_(other.server_), fd_(std::exchange(other.fd_, -1)) {}

stats_connection& stats_connection::operator=(stats_connection&& other) noexcept {
    std::swap(server_, other.server_);
    std::swap(fd_, other.fd_);
    return *this;
}

void stats_connection::open() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
        refuse_if_out_of_descriptors(errno, "cannot ask the origin for its counts");
        throw origin_error(std::string("cannot open a socket: ") + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_.port);
    address.sin_addr.s_addr = htonl(server_.address);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const std::string reason = std::strerror(errno);
        close();
        throw origin_error("cannot connect to " + to_url(server_) + ": " + reason +
                           "; is the server running?");
    }
}

void stats_connection::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

// Takes what it wants out of the reply, which is Beast's.
template <class Take>
auto stats_connection::exchange(std::string_view target, Take take) {
    const std::string request =
        "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + to_string(server_) + "\r\n\r\n";
    // A server may have closed the kept connection in the meantime; a fresh one must work.
    for (bool fresh = fd_ < 0;; fresh = true) {
        if (fd_ < 0) open();
        reply_parser parser;
        if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(request.size()) &&
            read_reply(fd_, parser)) {
            if (!parser.keep_alive()) close();
            return take(parser.get());
        }
        const int reason = errno;
        close();
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

foreign_reply stats_connection::first_page() {
    return exchange("/", [](const auto& reply) {
        body_checksum sum;
        sum.add(std::as_bytes(std::span(reply.body())));
        return foreign_reply{reply.result_int(), sum.size(), sum.value()};
    });
}

}  // namespace crossover
