// Serving the load generator: what the echo workloads share.
#pragma once

#include <array>
#include <atomic>
#include <cstring>
#include <vector>

#include "workloads/contract/workload.hpp"
#include "workloads/servers/load/load_session.hpp"

namespace crossover {

// An item is one connection, which it opens itself, so that a model need not listen: it answers each request
// with the same bytes, and leaves when the load generator says that the round is over.
//
// `Params` has connections, requests and bytes, and plan(): the rounds that the load generator makes of them.
template <class Params>
struct echo_serving {
    using params = Params;

    static constexpr work_class kind = work_class::io;
    static constexpr std::string_view unit = "requests";
    static constexpr std::array needs{verb::connect};
    static constexpr bool needs_load = true;

    static std::string wrong(const params& p) {
        const char* fault = p.plan().fault();
        return fault ? fault : "";
    }

    struct output {
        std::uint64_t served, sum;  // requests, and of their numbers
    };

    // The load generator's account of all passes.
    class prepared {
      public:
        prepared(const environment& around, const params& p) : session_(around.load.value(), p.plan()) {}

        std::uint64_t id() const { return session_.id(); }
        void forget() { session_.forget(); }
        latencies measured() { return session_.report().seen; }
        std::string fault() { return session_.report().fault; }

      private:
        load_session session_;
    };

    template <class C>
    struct shared {
        shared(const environment& around, const params&, const prepared& with)
            : load(around.load.value()), session(with.id()) {}

        endpoint load;
        std::uint64_t session;
    };

    static std::array<extent, 0> inputs(const params&, const prepared&) { return {}; }

    static std::size_t items(const params& p) { return p.connections; }
    static std::size_t alive_together(const params& p) { return p.connections; }
    static std::uint64_t units(const params& p) { return p.requests; }

    template <can_connect C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        // Connection i serves the requests i, i + connections, i + 2 connections, ...
        const std::uint64_t quota = (p.requests - i + p.connections - 1) / p.connections;
        output mine{0, 0};
        std::vector<std::byte> request(p.bytes);
        const std::string greeting = serve_line(with.session, i) + '\n';
        typename C::stream connection = co_await ctx.connect(with.load, never);
        co_await connection.write_all(ctx, std::as_bytes(std::span(greeting)), never);
        while (mine.served < quota) {
            for (std::size_t have = 0; have < p.bytes;) {
                const std::span<std::byte> rest = std::span(request).subspan(have);
                const std::size_t n = co_await connection.read_some(ctx, rest, never);
                if (n == 0) throw std::runtime_error("the load generator closed the connection too early");
                have += n;
            }
            co_await connection.write_all(ctx, request, never);
            std::uint64_t number;
            std::memcpy(&number, request.data(), sizeof number);
            mine.sum += number;
            ++mine.served;
        }
        // The generator says that it has all replies: closed before that, the connection might lose the last.
        const std::span<std::byte> goodbye = std::span(request).first(1);
        co_await connection.read_some(ctx, goodbye, never);
        connection.close();
        out = mine;
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        std::uint64_t served = 0;
        for (std::uint64_t i = 0; i < outputs.size(); ++i) {
            std::uint64_t number = i, count = 0, sum = 0;
            for (; number < p.requests; number += p.connections, ++count) sum += number;
            if (outputs[i].served != count || outputs[i].sum != sum)
                return "connection " + std::to_string(i) + " served " + std::to_string(outputs[i].served) +
                       " requests, not " + std::to_string(count) + ", or other ones";
            served += count;
        }
        return served == p.requests ? "" : "not all requests were served";
    }

    // The generator has compared all bytes.
    static std::string verify(const params& p, prepared& with, std::span<const output> outputs) {
        if (std::string fault = with.fault(); !fault.empty()) return fault;
        return verify(p, outputs);
    }
};

}  // namespace crossover
