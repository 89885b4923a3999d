// producer_consumer: what does it cost to hand work from one task to another through a bounded queue?
#pragma once

#include <atomic>

#include "workloads/contract/workload.hpp"
#include "workloads/coordination/producer_guard.hpp"
#include "workloads/support/lower_bound.hpp"

namespace crossover {

// The numbers 0 to elements - 1 pass through one channel. Which consumer gets which is not known beforehand,
// so the outputs are judged, and compared between models, by what they come to.
struct producer_consumer {
    static constexpr std::string_view name = "producer_consumer";
    static constexpr std::string_view question =
        "what does it cost to hand work from one task to another through a bounded queue?";
    static constexpr work_class kind = work_class::coordination;
    static constexpr std::string_view unit = "elements";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "the same elements through a ring in one thread / cores";
    static constexpr std::array needs{verb::queue};

    struct params {
        std::uint64_t producers, consumers, elements, capacity;
    };
    static constexpr std::array fields{field<params>{"producers", &params::producers, 1, 10'000},
                                       field<params>{"consumers", &params::consumers, 1, 10'000},
                                       field<params>{"elements", &params::elements, 1, 100'000'000},
                                       field<params>{"capacity", &params::capacity, 1, 1'000'000}};
    static constexpr std::array sizes{
        size<params>{{1, 1, 1'000, 16}, exhaustive},   size<params>{{1, 1, 10'000, 64}, quick},
        size<params>{{4, 4, 10'000, 64}, full},        size<params>{{1, 1, 100'000, 64}, exhaustive},
        size<params>{{4, 4, 100'000, 64}, exhaustive}, size<params>{{4, 4, 100'000, 1'024}, full}};

    // What a producer pushed or a consumer popped.
    struct output {
        std::uint64_t count, sum, exclusive_or;
    };

    template <class C>
    struct shared {
        using channel_type = typename C::template channel<std::uint64_t>;

        shared(const environment& around, const params& p)
            : channel(around.memory, p.capacity), producing(p.producers) {}

        channel_type channel;
        std::atomic<std::uint64_t> producing;
    };

    static std::size_t items(const params& p) { return p.producers + p.consumers; }
    static std::size_t alive_together(const params& p) { return p.producers + p.consumers; }
    static std::uint64_t units(const params& p) { return p.elements; }
    static std::uint64_t least_ns(const params&, std::size_t) { return 0; }
    static void least_work(const params& p, std::size_t cores) {
        lower_bound::transfers(p.elements / std::min<std::uint64_t>(p.producers + p.consumers, cores),
                               p.capacity);
    }

    template <can_queue C>
    static typename C::task item(C& ctx, const params& p, shared<C>& with, std::size_t i, output& out) {
        output mine{0, 0, 0};
        if (i < p.producers) {
            const producer_guard until_the_end(with.channel, with.producing);
            for (std::uint64_t v = i; v < p.elements; v += p.producers) {
                const bool taken = co_await with.channel.push(ctx, v);
                if (!taken) break;
                add(mine, v);
            }
        } else {
            for (;;) {
                const std::optional<std::uint64_t> v = co_await with.channel.pop(ctx);
                if (!v) break;
                add(mine, *v);
            }
        }
        out = mine;
    }

    // All that was pushed, and all that was popped.
    static std::array<output, 2> total(const params& p, std::span<const output> outputs) {
        std::array<output, 2> all{};
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            output& side = all[i < p.producers ? 0 : 1];
            side.count += outputs[i].count;
            side.sum += outputs[i].sum;
            side.exclusive_or ^= outputs[i].exclusive_or;
        }
        return all;
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const std::uint64_t n = p.elements;
        const std::array<std::uint64_t, 4> exclusive_or{n - 1, 1, n, 0};  // of 0 to n - 1, by n - 1 mod 4
        const output owed{n, n * (n - 1) / 2, exclusive_or[(n - 1) % 4]};
        for (std::string_view side : {"pushed", "popped"}) {
            const output seen = total(p, outputs)[side == "pushed" ? 0 : 1];
            if (seen.count != owed.count || seen.sum != owed.sum || seen.exclusive_or != owed.exclusive_or)
                return "of " + std::to_string(n) + " elements " + std::to_string(seen.count) + " were " +
                       std::string(side) + ", with the sum " + std::to_string(seen.sum) + ", not " +
                       std::to_string(owed.sum);
        }
        return {};
    }

  private:
    static void add(output& tally, std::uint64_t v) {
        ++tally.count;
        tally.sum += v;
        tally.exclusive_or ^= v;
    }
};

}  // namespace crossover
