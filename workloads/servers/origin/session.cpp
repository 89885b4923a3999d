// The life of a connection. While an item's delay runs, a read is pending already: it notices at once when
// the client gives up.
#include "workloads/servers/origin/session.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace crossover {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// A body up to this size is copied behind its header: one buffer is cheaper to send than two.
constexpr std::size_t copied_body_bytes = 1024;
constexpr std::chrono::seconds linger_time{1};
constexpr std::uint64_t stall_us = 60'000'000;

}  // namespace

void session::start(origin_state& state, origin_socket socket) {
    boost::intrusive_ptr<session>(new session(state, std::move(socket)))->read();
}

session::session(origin_state& state, origin_socket socket)
    : state_(state), socket_(std::move(socket)), timer_(socket_.get_executor()) {
    ++state_.counts.connections;
    error_code ignored;  // a connection that is broken already shows it at the first read
    socket_.non_blocking(true, ignored);
}

session::~session() { --state_.counts.connections; }

void session::read() {
    reading_ = true;
    socket_.async_read_some(asio::buffer(in_.data() + end_, in_.size() - end_),
                            [this, alive = self()](const error_code& error, std::size_t bytes) {
                                reading_ = false;
                                if (error) {
                                    close();
                                } else if (lingering_) {
                                    read();
                                } else {
                                    end_ += bytes;
                                    if (!answering_) take_requests();
                                }
                            });
}

// Parses and answers until bytes are missing or an answer has to wait. Never calls itself: a client may send
// many requests at once.
void session::take_requests() {
    while (!closed_ && !lingering_ && !answering_) {
        if (begin_ == end_) {
            begin_ = end_ = 0;
            if (!reading_) read();
            return;
        }
        if (!parser_) parser_.emplace(static_cast<std::uint32_t>(in_.size()));
        error_code error;
        begin_ += parser_->put(asio::const_buffer(in_.data() + begin_, end_ - begin_), error);
        if (parser_->is_done()) {
            answer();
        } else if (error && error != http::error::need_more) {
            const bool too_large = error == http::error::header_limit;
            send_text(too_large ? "431 Request Header Fields Too Large" : "400 Bad Request", error.message(),
                      false);
        } else if (error && end_ - begin_ == in_.size()) {
            send_text("431 Request Header Fields Too Large", "the header is too large", false);
        } else if (error) {
            std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
            end_ -= std::exchange(begin_, 0);
            read();
            return;
        }
    }
}

void session::answer() {
    answering_ = true;
    keep_open_ = parser_->keep_alive();
    using route = request_parser::route;
    switch (parser_->wanted()) {
        case route::item:
            begin_item();
            break;
        case route::page:
            begin_page();
            break;
        case route::stats:
            send_text("200 OK", state_.stats(), keep_open_);
            break;
        case route::stats_reset:
            send_text("200 OK", state_.stats(), keep_open_);
            state_.counts.peak_in_flight = state_.counts.in_flight;
            break;
        case route::bad_item:
            send_text("400 Bad Request", parser_->fault(), keep_open_);
            break;
        case route::not_found:
            send_text("404 Not Found", "there are /item/<n>, /page/<n>, /stats and /stats/reset", keep_open_);
            break;
        case route::not_get:
            send_text("405 Method Not Allowed", "only GET is understood", false);
            break;
    }
}

void session::begin_item() {
    count_in();
    after(parser_->item().delay_us, &session::send_item);
}

void session::begin_page() {
    count_in();
    const page_target& page = parser_->page();
    switch (page_graph::of(page.n)) {
        case page_graph::manner::fine:
            return after(page.delay_us, &session::send_page);
        case page_graph::manner::fails:
            return after(page.delay_us, &session::send_failure);
        case page_graph::manner::closes_early:
            return after(page.delay_us, &session::send_half_a_page);
        case page_graph::manner::stalls:  // longer than any client waits
            return after(stall_us, &session::close);
    }
}

void session::count_in() {
    origin_counts& counts = state_.counts;
    ++counts.requests;
    ++counts.in_flight;
    counts.peak_in_flight = std::max(counts.peak_in_flight, counts.in_flight);
    in_flight_ = true;
}

void session::after(std::uint64_t delay_us, void (session::*act)()) {
    if (delay_us == 0) return (this->*act)();
    timer_.expires_after(std::chrono::microseconds(delay_us));
    timer_.async_wait([this, act, alive = self()](const error_code&) {
        if (!closed_) {
            (this->*act)();
            take_requests();
        }
    });
    if (begin_ == end_) {
        begin_ = end_ = 0;
        read();
    }
}

void session::send_page() {
    const page_target& page = parser_->page();
    const std::vector<std::uint64_t> words = page_graph(page.pages).body(page.n);
    char* at = put_head(words.size() * sizeof words[0]);
    std::memcpy(at, words.data(), words.size() * sizeof words[0]);
    send(static_cast<std::size_t>(at - out_.data()) + words.size() * sizeof words[0], {});
}

void session::send_half_a_page() {
    keep_open_ = false;
    const page_target& page = parser_->page();
    const std::vector<std::uint64_t> words = page_graph(page.pages).body(page.n);
    char* at = put_head(words.size() * sizeof words[0]);
    std::memcpy(at, words.data(), words.size() / 2 * sizeof words[0]);
    send(static_cast<std::size_t>(at - out_.data()) + words.size() / 2 * sizeof words[0], {});
}

void session::send_failure() {
    send_text("500 Internal Server Error", "this page fails, as planned", keep_open_);
}

// Writes the head of an answer to out_, and returns its end.
char* session::put_head(std::uint64_t body_bytes) {
    char* at = out_.data();
    const auto put = [&at](std::string_view text) { at += text.copy(at, text.size()); };
    put("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ");
    at = std::to_chars(at, at + 20, body_bytes).ptr;
    if (!keep_open_)
        put("\r\nConnection: close");
    else if (parser_->is_http_1_0())
        put("\r\nConnection: keep-alive");
    put("\r\n\r\n");
    return at;
}

void session::send_item() {
    const item_target& item = parser_->item();
    char* at = put_head(item.bytes);
    const std::uint64_t word = first_word(item.n);
    const std::size_t first = std::min<std::size_t>(item.bytes, sizeof word);
    std::memcpy(at, &word, first);
    at += first;
    std::span<const std::byte> rest(state_.bodies.after_first_word(item.bytes), item.bytes - first);
    if (rest.size() <= copied_body_bytes) {
        std::memcpy(at, rest.data(), rest.size());
        at += rest.size();
        rest = {};
    }
    send(static_cast<std::size_t>(at - out_.data()), rest);
}

// The text must be short: it is copied into out_.
void session::send_text(std::string_view status, std::string_view text, bool keep_open) {
    answering_ = true;
    keep_open_ = keep_open;
    std::string answer;
    answer.append("HTTP/1.1 ").append(status).append("\r\nContent-Type: ");
    answer.append(text.starts_with('{') ? "application/json" : "text/plain");
    answer.append("\r\nContent-Length: ").append(std::to_string(text.size() + 1));
    answer.append(keep_open ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n").append(text).append("\n");
    send(answer.copy(out_.data(), out_.size()), {});
}

// Sends out_[0, head) and `rest`. Nearly always the kernel takes all of it at once.
void session::send(std::size_t head, std::span<const std::byte> rest) {
    std::array<asio::const_buffer, 2> buffers{asio::const_buffer(out_.data(), head),
                                              asio::const_buffer(rest.data(), rest.size())};
    error_code error;
    std::size_t taken =
        rest.empty() ? socket_.write_some(buffers[0], error) : socket_.write_some(buffers, error);
    if (error && error != asio::error::would_block) return close();
    if (taken == head + rest.size()) return sent();

    for (asio::const_buffer& buffer : buffers) {
        const std::size_t step = std::min(taken, buffer.size());
        buffer += step;
        taken -= step;
    }
    asio::async_write(socket_, buffers, [this, alive = self()](const error_code& write_error, std::size_t) {
        if (write_error) {
            close();
        } else if (!closed_) {
            sent();
            take_requests();
        }
    });
}

void session::sent() {
    finish_item();
    answering_ = false;
    parser_.reset();
    if (!keep_open_) linger();
}

// Closing while bytes of the client are unread would reset the connection and could take the answer with it.
void session::linger() {
    lingering_ = true;
    error_code ignored;
    socket_.shutdown(origin_socket::shutdown_send, ignored);
    begin_ = end_ = 0;
    if (!reading_) read();
    timer_.expires_after(linger_time);
    timer_.async_wait([this, alive = self()](const error_code&) { close(); });
}

void session::close() {
    if (closed_) return;
    closed_ = true;
    finish_item();
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

void session::finish_item() {
    if (std::exchange(in_flight_, false)) --state_.counts.in_flight;
}

}  // namespace crossover
