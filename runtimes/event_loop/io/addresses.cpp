// Names of hosts to addresses of sockets.
#include "runtimes/event_loop/io/addresses.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "runtimes/event_loop/executors/thread_executor.hpp"

namespace crossover::asyncio {
namespace {

class resolver_errors final : public std::error_category {
  public:
    const char* name() const noexcept override { return "resolver"; }
    std::string message(int code) const override { return ::gai_strerror(code); }
};

[[noreturn]] void fail_to_look_up(int code, const std::string& host) {
    static const resolver_errors resolver;
    const std::error_code error = code == EAI_SYSTEM ? std::error_code(errno, std::generic_category())
                                                     : std::error_code(code, resolver);
    throw std::system_error(error, "looking up host '" + host + "'");
}

// Empty if `numeric` and the host is a name.
std::vector<socket_address> look_up(const std::string& host, std::uint16_t port, bool passive, bool numeric) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = (passive ? AI_PASSIVE : 0) | (numeric ? AI_NUMERICHOST : 0);
    addrinfo* found = nullptr;
    const int failed =
        ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (failed == EAI_NONAME && numeric) return {};
    // RFC 6761: it is the loopback address also where nothing tells so (a bare container has no /etc/hosts).
    if (failed && host == "localhost") return look_up("127.0.0.1", port, passive, true);
    if (failed) fail_to_look_up(failed, host);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &::freeaddrinfo);
    std::vector<socket_address> addresses;
    for (const addrinfo* a = found; a; a = a->ai_next) addresses.emplace_back(a->ai_addr, a->ai_addrlen);
    return addresses;
}

}  // namespace

socket_address::socket_address(const sockaddr* address, socklen_t size) noexcept
    : size_(std::min<socklen_t>(size, sizeof storage_)) {
    std::memcpy(&storage_, address, size_);
}

std::uint16_t socket_address::port() const noexcept {
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
    return 0;
}

std::string socket_address::text() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (family() == AF_UNIX) return reinterpret_cast<const sockaddr_un&>(storage_).sun_path;
    if (family() == AF_INET) {
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, text, sizeof text);
        return std::string(text) + ":" + std::to_string(port());
    }
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(port());
}

namespace {

socket_address ask(int (*getter)(int, sockaddr*, socklen_t*), const socket& s, const char* name) {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    if (getter(s.fd(), reinterpret_cast<sockaddr*>(&storage), &size) < 0)
        throw std::system_error(errno, std::generic_category(), name);
    return socket_address(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace

socket_address local_address(const socket& s) { return ask(&::getsockname, s, "getsockname"); }
socket_address peer_address(const socket& s) { return ask(&::getpeername, s, "getpeername"); }

socket_address unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        throw std::invalid_argument("the path of a Unix socket must have 1 to " +
                                    std::to_string(sizeof address.sun_path - 1) + " bytes: '" + path + "'");
    path.copy(address.sun_path, path.size());
    return socket_address(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

coro<std::vector<socket_address>> resolve(std::string host, std::uint16_t port, bool passive) {
    std::vector<socket_address> at_once = look_up(host, port, passive, true);
    if (!at_once.empty()) co_return at_once;
    auto looked_up = to_thread(&look_up, host, port, passive, false);
    co_return co_await looked_up;
}

void set_no_delay(const socket& s) noexcept {
    const int on = 1;
    ::setsockopt(s.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void expect_stream(const socket& s) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(s.fd(), SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        throw std::system_error(errno, std::generic_category(), "getsockopt");
    if (type != SOCK_STREAM) throw std::invalid_argument("a stream socket was expected: make it SOCK_STREAM");
}

}  // namespace crossover::asyncio
