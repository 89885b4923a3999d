// Asking a slow server for many things: what the fetch workloads share.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/contract/workload.hpp"
#include "workloads/servers/http/http_get.hpp"
#include "workloads/servers/origin/item_target.hpp"

namespace crossover {

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
    // Throws not_supported when the server is external and should answer after a delay: only the origin does.
    fetch_source(const environment& around, std::uint64_t delay_us, std::uint64_t bytes)
        : server_(around.origin.value()), delay_us_(delay_us), bytes_(bytes), external_(around.external) {
        if (external_ && delay_us > 0)
            throw not_supported(
                "the server at --origin is not the suite's own and keeps no delay: choose sizes with "
                "delay_us:0");
    }

    endpoint server() const { return server_; }
    std::uint64_t status() const { return external_ ? external_->status : 200; }

    std::string_view target(std::span<char, longest_item_target> room, std::uint64_t n) const {
        return external_ ? "/" : format_item_target(room, item_target(n, delay_us_, bytes_));
    }

    // Empty if `outputs`, of which output i got the replies i, i + outputs, i + 2 outputs, ..., are so many
    // equal replies of an external server; nothing if the server is the origin.
    std::optional<std::string> judge_foreign(std::uint64_t requests, std::span<const fetched> outputs) const {
        if (!external_) return std::nullopt;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::uint64_t replies = (requests - i + outputs.size() - 1) / outputs.size();
            if (outputs[i] != fetched{replies, replies * external_->bytes, replies * external_->checksum})
                return "the server at --origin is not the suite's own, and its replies differ: output " +
                       std::to_string(i) + " got " + std::to_string(outputs[i].bytes) + " bytes in " +
                       std::to_string(outputs[i].replies) + " replies, not " + std::to_string(replies) +
                       " times " + std::to_string(external_->bytes) +
                       ", or other bytes; choose a page that does not change";
        }
        return "";
    }

    std::vector<note> notes() const {
        if (!external_) return {};
        return {note{"reply_bytes", external_->bytes}, note{"status", external_->status}};
    }

  private:
    endpoint server_;
    std::uint64_t delay_us_, bytes_;
    std::optional<external_reply> external_;
};

// `Workload` says which requests an item makes, and judges what our origin answered to them.
template <class Workload>
struct fetching {
    static constexpr work_class kind = work_class::io;
    static constexpr std::string_view unit = "requests";
    static constexpr metric decides = metric::time;
    static constexpr std::array needs{verb::connect};
    static constexpr bool needs_origin = true;

    struct params {
        std::uint64_t requests, in_flight, delay_us, bytes;
    };
    static constexpr std::array fields{field<params>{"requests", &params::requests, 1, most_items},
                                       field<params>{"in_flight", &params::in_flight, 1, most_open},
                                       field<params>{"delay_us", &params::delay_us, 0, longest_delay_us},
                                       field<params>{"bytes", &params::bytes, 1, largest_body_bytes}};

    using output = fetched;

    struct prepared : fetch_source {
        prepared(const environment& around, const params& p) : fetch_source(around, p.delay_us, p.bytes) {}
    };

    template <class C>
    struct shared {
        shared(const environment&, const params&, const prepared& with) : source(with) {}

        const fetch_source& source;
    };

    static std::array<extent, 1> inputs(const params&, const prepared& with) {
        return {read_by_all<fetch_source>(&with)};
    }

    static std::uint64_t at_server(const params& p) { return p.in_flight; }
    static std::uint64_t units(const params& p) { return p.requests; }

    static std::string verify(const params& p, const prepared& with, std::span<const output> outputs) {
        if (const auto fault = with.judge_foreign(p.requests, outputs)) return *fault;
        return Workload::verify(p, outputs);
    }
};

}  // namespace crossover
