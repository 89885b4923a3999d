// http_reply: however a reply is cut into pieces, it is read the same; anything else is rejected in one line.
#include "workloads/servers/http/http_reply.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace crossover {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// The definition in body_checksum.hpp, word by word and without its shortcuts.
std::uint64_t checksum_by_definition(std::string_view body) {
    std::uint64_t sum = 0;
    for (std::size_t k = 0; k * 8 < body.size(); ++k) {
        std::uint64_t word = 0;
        for (std::size_t i = k * 8; i < std::min(body.size(), k * 8 + 8); ++i)
            word |= std::uint64_t{static_cast<unsigned char>(body[i])} << (i % 8 * 8);
        sum += (2 * k + 1) * word;
    }
    return sum;
}

std::string body_of(std::size_t bytes) {
    std::string body;
    for (std::size_t i = 0; i < bytes; ++i) body += static_cast<char>((i * 167 + 13) % 251);
    return body;
}

std::string reply_with(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
}

// As nginx sends a page whose length it does not know beforehand.
const std::string chunked_reply =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Thu, 20 Nov 2025 10:00:00 GMT\r\nContent-Type: "
    "text/html\r\n"
    "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
    "b\r\nhello world\r\n1a;name=value\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n";
const std::string chunked_body = "hello worldabcdefghijklmnopqrstuvwxyz";
const std::string empty_chunked_reply =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n";

// Replies and their bodies.
const std::vector<std::pair<std::string, std::string>> replies = {
    {reply_with(body_of(100)), body_of(100)}, {chunked_reply, chunked_body}, {empty_chunked_reply, ""}};

void expect_body(const http_reply& reply, std::string_view body) {
    EXPECT_TRUE(reply.done());
    EXPECT_EQ(reply.status(), 200U);
    EXPECT_EQ(reply.body_bytes(), body.size());
    EXPECT_EQ(reply.body_checksum(), checksum_by_definition(body));
}

std::string error_of(std::string_view text) {
    http_reply reply;
    try {
        reply.feed(as_bytes(text));
    } catch (const http_error& e) {
        return e.what();
    }
    return "";
}

TEST(http_reply, reads_a_reply_given_whole) {
    for (const std::size_t bytes : {0, 1, 7, 8, 9, 64, 1000, 100000}) {
        http_reply reply;
        const std::string text = reply_with(body_of(bytes));
        EXPECT_EQ(reply.feed(as_bytes(text)), text.size());
        expect_body(reply, body_of(bytes));
        EXPECT_TRUE(reply.keep_alive());
    }
}

TEST(http_reply, reads_a_reply_given_byte_by_byte) {
    for (const auto& [text, body] : replies) {
        http_reply reply;
        for (std::size_t i = 0; i < text.size(); ++i) {
            ASSERT_FALSE(reply.done()) << "before byte " << i;
            ASSERT_EQ(reply.feed(as_bytes(std::string_view(text).substr(i, 1))), 1U) << "byte " << i;
        }
        expect_body(reply, body);
    }
}

TEST(http_reply, reads_a_reply_cut_in_two_at_any_place) {
    for (const auto& [text, body] : replies) {
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            http_reply reply;
            const std::string_view whole = text;
            EXPECT_EQ(reply.feed(as_bytes(whole.substr(0, cut))), cut);
            EXPECT_FALSE(reply.done());
            EXPECT_EQ(reply.feed(as_bytes(whole.substr(cut))), text.size() - cut);
            expect_body(reply, body);
        }
    }
}

TEST(http_reply, leaves_the_next_reply_alone_wherever_the_bytes_are_cut) {
    const std::string first = reply_with(body_of(20));
    const std::string both = first + chunked_reply;
    for (std::size_t cut = 0; cut < first.size(); ++cut) {
        http_reply reply;
        const std::string_view whole = both;
        EXPECT_EQ(reply.feed(as_bytes(whole.substr(0, cut))), cut);
        EXPECT_EQ(reply.feed(as_bytes(whole.substr(cut))), first.size() - cut);
        expect_body(reply, body_of(20));
        EXPECT_EQ(reply.feed(as_bytes(chunked_reply)), 0U) << "a finished reply takes nothing";

        reply.reset();
        EXPECT_FALSE(reply.done());
        EXPECT_EQ(reply.body_bytes(), 0U);
        EXPECT_EQ(reply.feed(as_bytes(whole.substr(first.size()))), chunked_reply.size());
        expect_body(reply, chunked_body);
    }
}

TEST(http_reply, reads_a_body_that_ends_with_the_connection) {
    http_reply reply;
    reply.feed(as_bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall that "));
    reply.feed(as_bytes("comes"));
    EXPECT_FALSE(reply.done());
    reply.finish();
    expect_body(reply, "all that comes");
    EXPECT_FALSE(reply.keep_alive());
}

TEST(http_reply, refuses_a_reply_that_is_cut_short) {
    for (const char* text :
         {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"}) {
        http_reply reply;
        reply.feed(as_bytes(text));
        EXPECT_FALSE(reply.done());
        EXPECT_THROW(reply.finish(), http_error) << text;
    }
}

TEST(http_reply, refuses_what_is_not_http_with_one_line) {
    for (const char* text :
         {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/3.0 200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
          "HTTP/1.1 200 OK\r\nNo colon here\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n12345\r\n0\r\n\r\n"}) {
        const std::string error = error_of(text);
        EXPECT_FALSE(error.empty()) << text;
        EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    }
}

TEST(http_reply, refuses_a_header_without_end) {
    http_reply reply;
    const std::string field = "Field: " + std::string(500, 'x') + "\r\n";
    reply.feed(as_bytes("HTTP/1.1 200 OK\r\n"));
    EXPECT_THROW(
        {
            for (int i = 0; i < 100; ++i) reply.feed(as_bytes(field));
        },
        http_error);
}

TEST(http_reply, a_reply_without_a_body_ends_with_its_header) {
    http_reply reply;
    const std::string text = "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n";
    EXPECT_EQ(reply.feed(as_bytes(text)), text.size());
    EXPECT_TRUE(reply.done());
    EXPECT_EQ(reply.status(), 304U);
    EXPECT_EQ(reply.body_bytes(), 0U);
}

TEST(http_reply, says_when_the_server_will_close) {
    http_reply reply;
    reply.feed(as_bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_TRUE(reply.done());
    EXPECT_FALSE(reply.keep_alive());
}

TEST(http_reply, the_checksum_sees_a_flipped_bit_and_exchanged_words) {
    const std::string body = body_of(64);
    const auto checksum_of = [](const std::string& b) {
        http_reply reply;
        reply.feed(as_bytes(reply_with(b)));
        return reply.body_checksum();
    };
    for (std::size_t i = 0; i < body.size(); ++i) {
        std::string flipped = body;
        flipped[i] = static_cast<char>(flipped[i] ^ 0x80);
        EXPECT_NE(checksum_of(flipped), checksum_of(body)) << "byte " << i;
    }
    EXPECT_NE(checksum_of(body.substr(8, 8) + body.substr(0, 8) + body.substr(16)), checksum_of(body));
}

TEST(format_get, writes_a_request_line_and_the_host) {
    std::array<char, 128> buffer;
    const endpoint host{0x7f000001, 8080};
    std::size_t length = format_get(buffer, host, "/item/7");
    EXPECT_EQ(std::string_view(buffer.data(), length),
              "GET /item/7 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
    length = format_get(buffer, host, "/", true);
    EXPECT_EQ(std::string_view(buffer.data(), length),
              "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n");
}

TEST(format_get, refuses_a_buffer_that_is_too_small) {
    const endpoint host{0x7f000001, 8080};
    std::array<char, 128> large;
    const std::size_t length = format_get(large, host, "/item/7");
    std::vector<char> exact(length);
    EXPECT_EQ(format_get(exact, host, "/item/7"), length);
    for (std::size_t size = 0; size < length; ++size) {
        std::vector<char> small(size);
        EXPECT_THROW(format_get(small, host, "/item/7"), http_error);
    }
}

}  // namespace
}  // namespace crossover
