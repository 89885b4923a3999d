// first_result: what does it take to get one answer from many sources of which most fail?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/lessons/wait_counter.hpp"

namespace crossover {

// All sources are asked at once. The first `failing` of them fail soon, the next one answers, all others
// would take far longer: a failure must not count as a result, and the answer makes the others needless.
struct first_result {
    static constexpr std::string_view name = "first_result";
    static constexpr std::string_view question =
        "what does it take to get one answer from many sources of which most fail?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "answers";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "delay";
    static constexpr std::array needs{verb::sleep, verb::fork};

    struct params {
        std::uint64_t sources, failing, delay_us;
    };
    static constexpr std::array fields{field<params>{"sources", &params::sources, 1, most_items},
                                       field<params>{"failing", &params::failing, 0, most_items},
                                       field<params>{"delay_us", &params::delay_us, 1'000, longest_wait_us}};
    static constexpr std::array sizes{size<params>{{2, 1, 1'000}, exhaustive},
                                      size<params>{{20, 15, 5'000}, full},
                                      size<params>{{1'000, 900, 20'000}, exhaustive}};

    // All must have begun before one that is not needed answers: a millisecond for each, as for a process on
    // a busy machine.
    static std::string wrong(const params& p) {
        const std::uint64_t most = longer * p.delay_us / 1000;
        if (p.sources > most) return "sources may be at most delay_us / 2, " + std::to_string(most);
        if (p.failing < p.sources) return {};
        return "failing must be less than sources, " + std::to_string(p.sources);
    }

    // A source that had not begun when the answer came is in none of the counts.
    struct output {
        wait_counts sources;
    };

    template <class C>
    struct shared {
        shared(const environment&, const params& p) : rules(p) {}

        params rules;
        wait_counter waits;
    };

    static std::size_t items(const params&) { return 1; }
    static std::size_t alive_together(const params& p) { return p.sources; }
    static std::uint64_t scheduled(const params& p) { return 1 + p.sources; }
    static std::uint64_t least_ns(const params& p, std::size_t) { return p.delay_us * 1000; }

    template <class C>
    requires can_sleep<C> && can_fork<C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t, output& out) {
        const policy first_counts(unlimited, until::first_result);
        co_await ctx.run(p.sources, &source<C>, &with, first_counts);
        out = {with.waits.seen()};
    }

    // How many were asked in vain may differ from run to run.
    static std::uint64_t total(const params&, std::span<const output> outputs) {
        return outputs[0].sources.waited;
    }

    static std::array<note, 2> notes(const params&, std::span<const output> outputs) {
        return {note{"failed", outputs[0].sources.failed}, note{"cut", outputs[0].sources.cut}};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const wait_counts& seen = outputs[0].sources;
        if (seen.waited != 1) return std::to_string(seen.waited) + " sources answered, not 1";
        if (seen.failed > p.failing)
            return std::to_string(seen.failed) + " sources failed, not " + std::to_string(p.failing);
        if (seen.begun != seen.ended() || seen.begun > p.sources)
            return std::to_string(seen.begun) + " sources were asked and " + std::to_string(seen.ended()) +
                   " ended";
        return {};
    }

  private:
    static constexpr std::uint64_t longer = 500;

    template <class C>
    static typename C::task source(C& ctx, const void* batch, std::size_t i) {
        auto& with = *static_cast<shared<C>*>(const_cast<void*>(batch));
        const params& p = with.rules;
        std::chrono::microseconds time(p.delay_us);
        if (i < p.failing) time /= 2;
        if (i > p.failing) time *= longer;
        co_await with.waits.wait(ctx, time);
        if (i < p.failing) with.waits.fail();
    }
};

}  // namespace crossover
