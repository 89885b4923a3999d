// ping_pong: how long does a message take from one task to another that waits for it?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

// Two items and two channels of one element's room: a number goes there and comes back larger, round after
// round.
struct ping_pong {
    static constexpr std::string_view name = "ping_pong";
    static constexpr std::string_view question =
        "how long does a message take from one task to another that waits for it?";
    static constexpr work_class kind = work_class::coordination;
    static constexpr std::string_view unit = "rounds";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "two bare calls for each round";
    static constexpr std::array needs{verb::queue};

    struct params {
        std::uint64_t rounds;
    };
    static constexpr std::array fields{field<params>{"rounds", &params::rounds, 1, 100'000'000}};
    static constexpr std::array sizes{size<params>{{100}, exhaustive}, size<params>{{1'000}, quick},
                                      size<params>{{10'000}, exhaustive}, size<params>{{40'000}, exhaustive}};

    struct output {
        std::uint64_t received, last;
    };

    template <class C>
    struct shared {
        using channel = typename C::template channel<std::uint64_t>;

        shared(const environment& around, const params&) : there(around.memory, 1), back(around.memory, 1) {}

        channel there, back;
    };

    static std::size_t items(const params&) { return 2; }
    static std::size_t alive_together(const params&) { return 2; }
    static std::uint64_t units(const params& p) { return p.rounds; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t) { lower_bound::calls(2 * p.rounds); }

    template <can_queue C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        auto& from = i == 0 ? with.back : with.there;
        auto& to = i == 0 ? with.there : with.back;
        const leaving<C> until_the_end(to);
        output mine{0, 0};
        if (i == 0) co_await to.push(ctx, 0);
        for (;;) {
            const std::optional<std::uint64_t> number = co_await from.pop(ctx);
            if (!number) break;
            ++mine.received;
            mine.last = *number;
            if (mine.received == p.rounds && i == 0) break;
            co_await to.push(ctx, *number + 1);
        }
        out = mine;
    }

    // The number is 0 on its first way, 1 on the way back, 2 on the second way, and so on.
    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < 2; ++i) {
            const std::uint64_t last = 2 * p.rounds - (i == 0 ? 1 : 2);
            if (outputs[i].received != p.rounds || outputs[i].last != last)
                return "player " + std::to_string(i) + " got " + std::to_string(outputs[i].received) +
                       " messages, the last of them " + std::to_string(outputs[i].last) + ", not " +
                       std::to_string(p.rounds) + " and " + std::to_string(last);
        }
        return {};
    }

  private:
    // Who leaves closes its side, also by an exception: else the other waited forever.
    template <class C>
    class leaving {
      public:
        explicit leaving(typename shared<C>::channel& side) : side_(side) {}
        ~leaving() { side_.close(); }
        leaving(const leaving&) = delete;
        leaving& operator=(const leaving&) = delete;

      private:
        typename shared<C>::channel& side_;
    };
};

}  // namespace crossover
