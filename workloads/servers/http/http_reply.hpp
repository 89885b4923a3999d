// Reads HTTP/1.1 replies from bytes in whatever pieces they arrive. The parser is Boost.Beast's, kept out of
// this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "runtimes/system/endpoint.hpp"

namespace crossover {

// A reply that is not HTTP, is cut short, or a request that does not fit. The text is one line.
class http_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// One per connection, used for one reply after another: feed() until done(), read the results, reset(). Not
// thread-safe, no state beside its own; it allocates only when a header is split between two reads.
class http_reply {
  public:
    http_reply();
    ~http_reply();
    http_reply(const http_reply&) = delete;
    http_reply& operator=(const http_reply&) = delete;

    // Takes bytes from the connection and returns how many belonged to this reply: all of them, except when
    // the reply ends within `bytes`. The rest is the next reply's, to be fed after reset(). Throws http_error
    // if the bytes are not a reply.
    std::size_t feed(std::span<const std::byte> bytes);

    // Lets the beginning of the body be written to `room`, which outlives the reply. For this reply only; to
    // be called before its first byte is fed.
    void keep_body(std::span<std::byte> room);

    // To be called when the server has closed the connection. It completes a reply that ends so; throws
    // http_error if the reply is incomplete.
    void finish();

    // The whole reply has been read.
    bool done() const;
    // 0 before the status line has been read.
    unsigned status() const;
    // The server keeps the connection open for another request. False before done().
    bool keep_alive() const;
    // Bytes of the body so far, chunk framing removed.
    std::uint64_t body_bytes() const;
    // body_checksum of the body so far.
    std::uint64_t body_checksum() const;

    // Forgets the reply and awaits the next one.
    void reset();

  private:
    class parser;
    parser& inside();
    const parser& inside() const;

    static constexpr std::size_t parser_size = 192;
    alignas(std::max_align_t) std::byte parser_[parser_size];
    std::vector<std::byte> carry_;  // the beginning of a header whose end has not come yet
};

// Writes "GET target HTTP/1.1" with the fields that HTTP asks for into `out` and returns its length.
// Throws http_error if `out` is too small. `close` asks the server to close the connection after its reply.
std::size_t format_get(std::span<char> out, const endpoint& host, std::string_view target,
                       bool close = false);

}  // namespace crossover
