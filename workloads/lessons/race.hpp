// race: how soon is the first result there, and are the losers really cancelled?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/lessons/wait_counter.hpp"

namespace crossover {

// In each race all racers wait together, the last of them the shortest. The others would wait so long that a
// model which does not cancel them shows it.
struct race {
    static constexpr std::string_view name = "race";
    static constexpr std::string_view question =
        "how soon is the first result there, and are the losers really cancelled?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "races";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "delay of the winner × races";
    static constexpr std::array needs{verb::sleep, verb::fork};

    struct params {
        std::uint64_t races, racers, delay_us;
    };
    static constexpr std::array fields{field<params>{"races", &params::races, 1, 100'000},
                                       field<params>{"racers", &params::racers, 2, most_items},
                                       field<params>{"delay_us", &params::delay_us, 1'000, longest_wait_us}};
    static constexpr std::array sizes{size<params>{{3, 2, 1'000}, exhaustive},
                                      size<params>{{10, 2, 2'000}, full}, size<params>{{10, 20, 2'000}, full},
                                      size<params>{{3, 1'000, 10'000}, exhaustive}};

    // All must have begun before a loser is through: a millisecond for each, as for a process on a busy
    // machine.
    static std::string wrong(const params& p) {
        const std::uint64_t most = longer * p.delay_us / 1000;
        if (p.racers <= most) return {};
        return "racers may be at most delay_us / 2, " + std::to_string(most);
    }

    // A racer that had not begun when its race was over is in none of the counts.
    struct output {
        std::uint64_t won_by_the_fastest;
        wait_counts racers;
    };

    template <class C>
    struct shared {
        shared(const environment&, const params& p) : rules(p) {}

        params rules;
        wait_counter waits;
        std::atomic<std::uint64_t> won_by_the_fastest{0};
    };

    static std::size_t items(const params&) { return 1; }
    static std::size_t alive_together(const params& p) { return p.racers; }
    static std::uint64_t units(const params& p) { return p.races; }
    static std::uint64_t scheduled(const params& p) { return 1 + p.races * p.racers; }
    static std::uint64_t least_ns(const params& p, std::size_t) { return p.races * p.delay_us * 1000; }

    template <class C>
    requires can_sleep<C> && can_fork<C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t, output& out) {
        const policy first_wins(unlimited, until::first_result);
        for (std::uint64_t r = 0; r < p.races; ++r) co_await ctx.run(p.racers, &racer<C>, &with, first_wins);
        out = {with.won_by_the_fastest.load(), with.waits.seen()};
    }

    // How many losers had begun differs from run to run; that the fastest won does not.
    static std::uint64_t total(const params&, std::span<const output> outputs) {
        return outputs[0].won_by_the_fastest;
    }

    static std::array<note, 1> notes(const params&, std::span<const output> outputs) {
        return {note{"cut", outputs[0].racers.cut}};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const auto& [fastest, racers] = outputs[0];
        if (fastest != p.races)
            return std::to_string(fastest) + " of " + std::to_string(p.races) +
                   " races were won by the fastest";
        if (racers.waited != p.races || racers.failed != 0)
            return std::to_string(racers.waited - p.races) + " losers were not cancelled";
        if (racers.begun != racers.ended() || racers.begun > p.races * p.racers)
            return std::to_string(racers.begun) + " racers began and " + std::to_string(racers.ended()) +
                   " ended";
        return {};
    }

  private:
    static constexpr std::uint64_t longer = 500;

    template <class C>
    static typename C::task racer(C& ctx, const void* batch, std::size_t i) {
        auto& with = *static_cast<shared<C>*>(const_cast<void*>(batch));
        const bool fastest = i + 1 == with.rules.racers;
        const std::chrono::microseconds time(with.rules.delay_us * (fastest ? 1 : longer));
        co_await with.waits.wait(ctx, time);
        if (fastest) with.won_by_the_fastest.fetch_add(1);
    }
};

}  // namespace crossover
