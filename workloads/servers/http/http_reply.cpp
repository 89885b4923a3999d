// http_reply on Boost.Beast's basic_parser: the callbacks keep the few facts that a client needs and store no
// field. Beast 1.74 asserts that the last chunk of an empty body does not come in pieces; it reads them
// correctly.
#define BOOST_DISABLE_ASSERTS

#include "workloads/servers/http/http_reply.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include "workloads/servers/http/body_checksum.hpp"

namespace crossover {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

class http_reply::parser final : public http::basic_parser<false> {
  public:
    parser() {
        eager(true);
        // "No limit" would refuse every body: Boost 1.74 compares the length with the empty optional.
        body_limit(std::numeric_limits<std::uint64_t>::max());
    }

    unsigned status = 0;
    crossover::body_checksum body;
    std::span<std::byte> room;  // for the rest of the body that is kept

  private:
    void add(string_view bytes) {
        body.add(std::as_bytes(std::span(bytes.data(), bytes.size())));
        const std::size_t kept = std::min(room.size(), bytes.size());
        std::ranges::copy(std::as_bytes(std::span(bytes.data(), kept)), room.begin());
        room = room.subspan(kept);
    }

    void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
    void on_response_impl(int code, string_view, int, error_code&) override {
        status = static_cast<unsigned>(code);
    }
    void on_field_impl(http::field, string_view, string_view, error_code&) override {}
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view bytes, error_code&) override {
        add(bytes);
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
        add(bytes);
        return bytes.size();
    }
    void on_finish_impl(error_code&) override {}
};

http_reply::http_reply() {
    static_assert(sizeof(parser) <= parser_size && alignof(parser) <= alignof(std::max_align_t));
    new (parser_) parser;
}

http_reply::~http_reply() { inside().~parser(); }

http_reply::parser& http_reply::inside() { return *std::launder(reinterpret_cast<parser*>(parser_)); }
const http_reply::parser& http_reply::inside() const {
    return *std::launder(reinterpret_cast<const parser*>(parser_));
}

std::size_t http_reply::feed(std::span<const std::byte> bytes) {
    parser& p = inside();
    if (bytes.empty() || p.is_done()) return 0;

    const std::size_t carried = carry_.size();
    std::span<const std::byte> input = bytes;
    if (carried > 0) {
        carry_.resize(carried + bytes.size());  // in insert() GCC 14 sees an overflow that there is not
        std::memcpy(carry_.data() + carried, bytes.data(), bytes.size());
        input = carry_;
    }
    error_code error;
    const std::size_t used = p.put(boost::asio::const_buffer(input.data(), input.size()), error);
    if (error && error != http::error::need_more)
        throw http_error("the server's reply is not valid HTTP/1.1: " + error.message());
    if (p.is_done()) {
        carry_.clear();
        return used - carried;
    }
    if (carried > 0)
        carry_.erase(carry_.begin(), carry_.begin() + static_cast<std::ptrdiff_t>(used));
    else
        carry_.assign(input.begin() + static_cast<std::ptrdiff_t>(used), input.end());
    return bytes.size();
}

void http_reply::keep_body(std::span<std::byte> room) { inside().room = room; }

void http_reply::finish() {
    parser& p = inside();
    if (p.is_done()) return;
    if (!p.got_some()) throw http_error("the server closed the connection without a reply");
    error_code error;
    p.put_eof(error);
    if (error) throw http_error("the server closed the connection in the middle of a reply");
}

bool http_reply::done() const { return inside().is_done(); }
unsigned http_reply::status() const { return inside().status; }
bool http_reply::keep_alive() const { return done() && inside().keep_alive(); }
std::uint64_t http_reply::body_bytes() const { return inside().body.size(); }
std::uint64_t http_reply::body_checksum() const { return inside().body.value(); }

void http_reply::reset() {
    inside().~parser();
    new (parser_) parser;
    carry_.clear();
}

namespace {

class text_writer {
  public:
    explicit text_writer(std::span<char> out) : out_(out) {}

    void put(std::string_view text) {
        if (text.size() > out_.size() - length_)
            throw http_error("a request does not fit into its buffer of " + std::to_string(out_.size()) +
                             " bytes; give a larger one");
        std::memcpy(out_.data() + length_, text.data(), text.size());
        length_ += text.size();
    }
    void put(std::uint32_t number) {
        char digits[10];
        const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
        put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
    }
    std::size_t length() const { return length_; }

  private:
    std::span<char> out_;
    std::size_t length_ = 0;
};

}  // namespace

std::size_t format_get(std::span<char> out, const endpoint& host, std::string_view target, bool close) {
    text_writer w(out);
    w.put("GET ");
    w.put(target);
    w.put(" HTTP/1.1\r\nHost: ");
    for (int shift = 24; shift >= 0; shift -= 8) {
        w.put(host.address >> shift & 255U);
        w.put(shift > 0 ? "." : ":");
    }
    w.put(host.port);
    w.put(close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
    return w.length();
}

}  // namespace crossover
