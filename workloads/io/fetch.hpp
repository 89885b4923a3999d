// fetch: what does it cost to ask a slow server for many things at once?
#pragma once

#include "workloads/io/fetching.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

// An item is one keep-alive connection: item i makes the requests i, i + connections, i + 2 connections, ...
// one after the other.
struct fetch : fetching<fetch> {
    static constexpr std::string_view name = "fetch";
    static constexpr std::string_view question =
        "what does it cost to ask a slow server for many things at once?";
    static constexpr std::string_view bound =
        "the longer of delay × requests of the busiest connection and a bare write and read of each / cores";
    static constexpr std::array sizes{
        size<params>{{30, 8, 1'000, 1'000}, exhaustive}, size<params>{{1'000, 256, 5'000, 64}, quick},
        size<params>{{320, 16, 1'000, 64}, quick},       size<params>{{1'000, 16, 0, 64}, full},
        size<params>{{1'000, 256, 0, 64}, full},         size<params>{{1'000, 1'000, 0, 64}, full},
        size<params>{{1'000, 256, 1'000, 64}, full},     size<params>{{1'000, 1'000, 1'000, 64}, full},
        size<params>{{160, 16, 10'000, 64}, full},       size<params>{{1'000, 256, 10'000, 64}, full},
        size<params>{{3'000, 1'000, 10'000, 64}, full},  size<params>{{320, 16, 1'000, 65'536}, exhaustive}};

    static std::size_t items(const params& p) { return std::min(p.in_flight, p.requests); }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        const std::uint64_t all = items(p), width = std::min<std::uint64_t>(all, guaranteed_concurrency);
        return std::max((p.requests + all - 1) / all, (p.requests + width - 1) / width) * p.delay_us * 1000;
    }
    static void least_work(const params& p, std::size_t cores) {
        lower_bound::messages(p.requests / std::min<std::uint64_t>(items(p), cores), p.bytes);
    }

    template <can_connect C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        output mine{0, 0, 0};
        http_reply reply;
        http_buffer buffer;
        std::array<char, longest_item_target> room;
        const endpoint server = with.source.server();
        typename C::stream connection = co_await ctx.connect(server, never);
        for (std::uint64_t request = i; request < p.requests; request += items(p)) {
            const std::string_view target = with.source.target(room, request);
            co_await get(ctx, connection, server, target, reply, buffer);
            mine.add(reply, with.source.status());
            if (!reply.keep_alive()) throw http_error("the server closes the connection after a reply");
            reply.reset();
        }
        connection.close();
        out = mine;
    }

    using fetching::verify;
    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            output owed{0, 0, 0};
            for (std::uint64_t request = i; request < p.requests; request += outputs.size(), ++owed.replies)
                owed.checksum += item_checksum(request, p.bytes);
            owed.bytes = owed.replies * p.bytes;
            if (outputs[i] != owed)
                return "connection " + std::to_string(i) + " got " + std::to_string(outputs[i].replies) +
                       " replies of " + std::to_string(outputs[i].bytes) + " bytes together, not " +
                       std::to_string(owed.replies) + " of " + std::to_string(owed.bytes) +
                       ", or other bytes";
        }
        return {};
    }
};

}  // namespace crossover
