// fetch_connect: what does it cost to ask a server with a new connection for every request?
#pragma once

#include "workloads/bare.hpp"
#include "workloads/http_get.hpp"
#include "workloads/workload.hpp"

namespace crossover {

// As fetch, but an item is one request: connect, ask, read, abort the connection, so that no port is left
// waiting.
struct fetch_connect {
    static constexpr std::string_view name = "fetch_connect";
    static constexpr std::string_view question =
        "what does it cost to ask a server with a new connection for every request?";
    static constexpr work_class kind = work_class::io;
    static constexpr std::string_view unit = "requests";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound =
        "the longer of delay × ceil(requests / in flight) and a bare write and read of each / cores";
    static constexpr std::array needs{verb::connect};
    static constexpr bool needs_origin = true;

    struct params {
        std::uint64_t requests, in_flight, delay_us, bytes;
    };
    static constexpr std::array fields{
        field<params>{"requests", &params::requests}, field<params>{"in_flight", &params::in_flight},
        field<params>{"delay_us", &params::delay_us}, field<params>{"bytes", &params::bytes}};
    static constexpr std::array sizes{
        size<params>{{20, 8, 1'000, 1'000}, exhaustive}, size<params>{{500, 100, 5'000, 64}, full},
        size<params>{{320, 16, 1'000, 64}, exhaustive}, size<params>{{1'000, 256, 0, 64}, full},
        size<params>{{1'000, 256, 10'000, 64}, exhaustive}};

    using output = fetched;

    struct prepared : fetch_source {
        prepared(const environment& around, const params& p) : fetch_source(around, p.delay_us, p.bytes) {}
    };

    template <class C>
    struct shared {
        shared(const environment&, const params&, const prepared& with) : source(with) {}

        const fetch_source& source;
    };

    static std::uint64_t at_server(const params& p) { return p.in_flight; }
    static std::size_t items(const params& p) { return p.requests; }
    static policy limits(const params& p) { return policy(p.in_flight); }

    static std::uint64_t least_ns(const params& p, std::size_t at_once) {
        const std::uint64_t width = std::min<std::uint64_t>({p.in_flight, p.requests, at_once});
        return (p.requests + width - 1) / width * p.delay_us * 1000;
    }
    static void least_work(const params& p, std::size_t cores) {
        bare::messages(p.requests / std::min<std::uint64_t>(p.requests, cores), p.bytes);
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

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i] != output{1, p.bytes, item_checksum(i, p.bytes)})
                return "request " + std::to_string(i) + " got " + std::to_string(outputs[i].replies) +
                       " replies of " + std::to_string(outputs[i].bytes) + " bytes, not one of " +
                       std::to_string(p.bytes) + ", or other bytes";
        return {};
    }

    static std::string verify(const params& p, const prepared& with, std::span<const output> outputs) {
        if (const auto fault = with.judge_foreign(p.requests, outputs)) return *fault;
        return verify(p, outputs);
    }
};

}  // namespace crossover
