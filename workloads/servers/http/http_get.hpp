// One HTTP request and its reply on a connection, for the workloads that fetch.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "runtimes/contract/runtime.hpp"
#include "workloads/servers/http/http_reply.hpp"

namespace crossover {

// Throws `refused` if the server answers that it is at a limit of its own: it is no page's fault.
inline void refuse_if_overloaded(const http_reply& reply) {
    if (reply.status() == 503)
        throw refused(
            "the server takes no more connections (status 503): raise the limit of open files (ulimit -n) "
            "where it runs, or choose a smaller in_flight");
}

// What a reply is read into, piece by piece, and a request is written in. Kept by who asks again and again:
// in a frame of its own for each request it cost a malloc.
using http_buffer = std::array<std::byte, 8192>;

// Asks `server` for `target` and reads until the reply is complete. `reply` is new or has been reset;
// `target` stays there meanwhile. Throws http_error, and what the stream throws.
template <can_connect C>
typename C::template async<void> get(C& ctx, typename C::stream& connection, endpoint server,
                                     std::string_view target, http_reply& reply, http_buffer& buffer,
                                     time_point deadline = never) {
    const std::span<char> text(reinterpret_cast<char*>(buffer.data()), buffer.size());
    const std::size_t length = format_get(text, server, target);
    const std::span<const std::byte> request(buffer.data(), length);
    co_await connection.write_all(ctx, request, deadline);
    while (!reply.done()) {
        const std::size_t n = co_await connection.read_some(ctx, buffer, deadline);
        if (n == 0)
            reply.finish();
        else
            reply.feed(std::span(buffer.data(), n));
    }
}

}  // namespace crossover
