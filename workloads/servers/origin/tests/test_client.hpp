// A blocking client for the origin's tests: sends any bytes, keeps the reply's text, and checks it with
// http_reply.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtimes/system/endpoint.hpp"
#include "workloads/servers/http/http_reply.hpp"

namespace crossover {

class test_client {
  public:
    explicit test_client(const endpoint& server)
        : server_(server), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(server.port);
        address.sin_addr.s_addr = htonl(server.address);
        const timeval patience{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        int failed = 0;
        do failed = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
        while (failed != 0 && errno == EINTR);
        EXPECT_EQ(failed, 0);
    }
    ~test_client() { close(); }
    test_client(test_client&& other) noexcept
        : server_(other.server_), fd_(std::exchange(other.fd_, -1)), unread_(std::move(other.unread_)) {}

    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) return;  // the server may have closed: the reply tells
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void ask(std::string_view target, bool close_after = false) {
        std::array<char, 256> request;
        send(std::string_view(request.data(), format_get(request, server_, target, close_after)));
    }

    // Reads one reply; its status and checksum are then in reply(), its bytes in text(). False if none came.
    bool receive() {
        reply_.reset();
        text_.clear();
        while (!reply_.done()) {
            if (unread_.empty() && !read_more()) {
                if (text_.empty()) return false;
                reply_.finish();
                break;
            }
            const std::size_t used = reply_.feed(std::as_bytes(std::span(unread_)));
            text_ += unread_.substr(0, used);
            unread_.erase(0, used);
        }
        return true;
    }
    bool get(std::string_view target) {
        ask(target);
        return receive();
    }
    // The server closes without another byte.
    bool at_end() { return unread_.empty() && !read_more(); }

    const http_reply& reply() const { return reply_; }
    const std::string& text() const { return text_; }

  private:
    bool read_more() {
        std::array<char, 65536> room;
        ssize_t got = 0;
        do got = ::recv(fd_, room.data(), room.size(), 0);
        while (got < 0 && errno == EINTR);
        if (got > 0) unread_.append(room.data(), static_cast<std::size_t>(got));
        return got > 0;
    }

    endpoint server_;
    int fd_;
    std::string unread_;
    std::string text_;
    http_reply reply_;
};

}  // namespace crossover
