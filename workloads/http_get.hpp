// One HTTP request and its reply on a connection, for the workloads that fetch.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/origin/item_target.hpp"
#include "runtimes/runtime.hpp"
#include "workloads/http_reply.hpp"
#include "workloads/workload.hpp"

namespace crossover {

// Throws `refused` if the server answers that it is at a limit of its own: it is no page's fault.
inline void refuse_if_overloaded(const http_reply& reply) {
    if (reply.status() == 503)
        throw refused(
            "the server takes no more connections (status 503): raise the limit of open files (ulimit -n) "
            "where it runs, or choose a smaller in_flight");
}

// What a connection or a request has brought.
struct fetched {
    std::uint64_t replies, bytes, checksum;

    // Throws http_error unless the server gave what was asked for.
    void add(const http_reply& reply, std::uint64_t status = 200) {
        if (reply.status() != status) {
            refuse_if_overloaded(reply);
            throw http_error("the server answered with status " + std::to_string(reply.status()) + ", not " +
                             std::to_string(status));
        }
        ++replies;
        bytes += reply.body_bytes();
        checksum += reply.body_checksum();
    }

    bool operator==(const fetched&) const = default;
};

// What is asked for and how the answer is judged: items of our origin, whose bodies are known, or "/" of
// another server, whose replies must all be as one that was fetched before, without any model.
class fetch_source {
  public:
    // Throws not_supported when the server is foreign and should answer after a delay: only the origin does.
    fetch_source(const environment& around, std::uint64_t delay_us, std::uint64_t bytes)
        : server_(around.origin.value()), delay_us_(delay_us), bytes_(bytes), foreign_(around.foreign) {
        if (foreign_ && delay_us > 0)
            throw not_supported(
                "the server at --origin is not the suite's own and keeps no delay: choose sizes with "
                "delay_us:0");
    }

    endpoint server() const { return server_; }
    std::uint64_t status() const { return foreign_ ? foreign_->status : 200; }

    std::string_view target(std::span<char, longest_item_target> room, std::uint64_t n) const {
        return foreign_ ? "/" : format_item_target(room, item_target(n, delay_us_, bytes_));
    }

    // Empty if `outputs`, of which output i got the replies i, i + outputs, i + 2 outputs, ..., are so many
    // equal replies of a foreign server; nothing if the server is the origin.
    std::optional<std::string> judge_foreign(std::uint64_t requests, std::span<const fetched> outputs) const {
        if (!foreign_) return std::nullopt;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::uint64_t replies = (requests - i + outputs.size() - 1) / outputs.size();
            if (outputs[i] != fetched{replies, replies * foreign_->bytes, replies * foreign_->checksum})
                return "the server at --origin is not the suite's own, and its replies differ: output " +
                       std::to_string(i) + " got " + std::to_string(outputs[i].bytes) + " bytes in " +
                       std::to_string(outputs[i].replies) + " replies, not " + std::to_string(replies) +
                       " times " + std::to_string(foreign_->bytes) +
                       ", or other bytes; choose a page that does not change";
        }
        return "";
    }

    std::vector<note> notes() const {
        if (!foreign_) return {};
        return {note{"reply_bytes", foreign_->bytes}, note{"status", foreign_->status}};
    }

  private:
    endpoint server_;
    std::uint64_t delay_us_, bytes_;
    std::optional<foreign_reply> foreign_;
};

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
