// fetch_connect: what does it cost to ask a server with a new connection for every request?
#pragma once

#include "workloads/io/fetching.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

// As fetch, but an item is one request: connect, ask, read, abort the connection, so that no port is left
// waiting.
struct fetch_connect : fetching<fetch_connect> {
    static constexpr std::string_view name = "fetch_connect";
    static constexpr std::string_view question =
        "what does it cost to ask a server with a new connection for every request?";
    static constexpr std::string_view bound =
        "the longer of delay × ceil(requests / in flight) and a bare write and read of each / cores";
    static constexpr std::array sizes{
        size<params>{{20, 8, 1'000, 1'000}, exhaustive}, size<params>{{500, 100, 5'000, 64}, full},
        size<params>{{320, 16, 1'000, 64}, exhaustive}, size<params>{{1'000, 256, 0, 64}, full},
        size<params>{{1'000, 256, 10'000, 64}, exhaustive}};

    static std::size_t items(const params& p) { return p.requests; }
    static policy limits(const params& p) { return policy(p.in_flight); }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        return waits_in_turn(p.requests, std::min<std::uint64_t>(p.in_flight, guaranteed_concurrency),
                             p.delay_us);
    }
    static void least_work(const params& p, std::size_t cores) {
        lower_bound::messages(p.requests / std::min<std::uint64_t>(p.requests, cores), p.bytes);
    }

    template <can_connect C>
    static typename C::task item(C& ctx, const params&, shared<C>& with, std::size_t i, output& out) {
        output mine{0, 0, 0};
        http_reply reply;
        http_buffer buffer;
        std::array<char, longest_item_target> room;
        const endpoint server = with.source.server();
        const std::string_view target = with.source.target(room, i);
        typename C::stream connection = co_await ctx.connect(server, never);
        co_await get(ctx, connection, server, target, reply, buffer);
        connection.close();
        mine.add(reply, with.source.status());
        out = mine;
    }

    using fetching::verify;
    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i] != output{1, p.bytes, item_checksum(i, p.bytes)})
                return "request " + std::to_string(i) + " got " + std::to_string(outputs[i].replies) +
                       " replies of " + std::to_string(outputs[i].bytes) + " bytes, not one of " +
                       std::to_string(p.bytes) + ", or other bytes";
        return {};
    }
};

}  // namespace crossover
