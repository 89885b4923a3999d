// sequential_await: what is lost when waits that could overlap are awaited one after the other?
#pragma once

#include "workloads/contract/workload.hpp"

namespace crossover {

// The same waits, either as one item that awaits them in a row, or as an item each.
struct sequential_await {
    static constexpr std::string_view name = "sequential_await";
    static constexpr std::string_view question =
        "what is lost when waits that could overlap are awaited one after the other?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "waits";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "in a row: delay × waits; together: delay";
    static constexpr std::array needs{verb::sleep};

    struct params {
        std::uint64_t waits, delay_us, together;
    };
    static constexpr std::array fields{field<params>{"waits", &params::waits, 1, most_items},
                                       field<params>{"delay_us", &params::delay_us, 1, longest_wait_us},
                                       field<params>{"together", &params::together, 0, 1}};
    static constexpr std::array sizes{size<params>{{5, 1'000, 1}, exhaustive},
                                      size<params>{{10, 2'000, 0}, full}, size<params>{{10, 2'000, 1}, full}};

    struct output {
        std::uint64_t item, waited;
    };

    template <class C>
    using shared = nothing_shared;

    static std::size_t items(const params& p) { return p.together ? p.waits : 1; }
    static std::uint64_t units(const params& p) { return p.waits; }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        return waits_in_turn(p.waits, p.together ? guaranteed_concurrency : 1, p.delay_us);
    }

    template <can_sleep C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        out = {i, 0};
        for (std::uint64_t wait = i; wait < p.waits; wait += items(p)) {
            co_await ctx.sleep_for(std::chrono::microseconds(p.delay_us));
            ++out.waited;
        }
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (outputs[i].item != i || outputs[i].waited != (p.together ? 1 : p.waits))
                return "item " + std::to_string(i) + " waited " + std::to_string(outputs[i].waited) +
                       " times";
        return {};
    }
};

}  // namespace crossover
