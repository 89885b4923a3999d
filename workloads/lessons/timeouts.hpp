// timeouts: what does a deadline around every call cost, and is a call that passes it really over?
#pragma once

#include "workloads/contract/workload.hpp"
#include "workloads/lessons/wait_counter.hpp"
#include "workloads/support/throw_timed_out.hpp"

namespace crossover {

// Every item calls something that takes its time under a deadline of its own; each `stalled_every`-th call
// would take far too long and is cut off. The account of all calls shows that none is left behind.
struct timeouts {
    static constexpr std::string_view name = "timeouts";
    static constexpr std::string_view question =
        "what does a deadline around every call cost, and is a call that passes it really over?";
    static constexpr work_class kind = work_class::lessons;
    static constexpr std::string_view unit = "calls";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound = "the sum of all calls / in flight, at least one deadline";
    static constexpr std::array needs{verb::sleep, verb::fork};

    struct params {
        std::uint64_t calls, stalled_every, delay_us, deadline_us, in_flight;
    };
    static constexpr std::array fields{
        field<params>{"calls", &params::calls, 1, most_items},
        field<params>{"stalled_every", &params::stalled_every, 1, most_items},
        field<params>{"delay_us", &params::delay_us, 1, longest_wait_us},
        field<params>{"deadline_us", &params::deadline_us, 1, 10'000'000},
        field<params>{"in_flight", &params::in_flight, 1, most_items, &params::calls}};
    static constexpr std::array sizes{size<params>{{8, 4, 1'000, 300'000, 8}, exhaustive},
                                      size<params>{{100, 10, 1'000, 100'000, 100}, full},
                                      size<params>{{10'000, 100, 1'000, 200'000, 10'000}, exhaustive}};

    static std::string wrong(const params& p) {
        if (p.deadline_us > p.delay_us) return {};
        return "deadline_us must be more than delay_us, " + std::to_string(p.delay_us);
    }

    using output = wait_counts;

    template <class C>
    using shared = nothing_shared;

    static std::size_t items(const params& p) { return p.calls; }
    static policy limits(const params& p) { return policy(p.in_flight); }
    static std::uint64_t scheduled(const params& p) { return 2 * p.calls; }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        const std::uint64_t stalled = p.calls / p.stalled_every,
                            width = std::min<std::uint64_t>({p.in_flight, p.calls, guaranteed_concurrency});
        const std::uint64_t all_us = stalled * p.deadline_us + (p.calls - stalled) * p.delay_us;
        return std::max(all_us / width, stalled > 0 ? p.deadline_us : p.delay_us) * 1000;
    }

    template <class C>
    requires can_sleep<C> && can_fork<C>
    static typename C::task item(C& ctx, const params& p, shared<C>&, std::size_t i, output& out) {
        call mine(
            std::chrono::microseconds(i % p.stalled_every + 1 == p.stalled_every ? stalled_us : p.delay_us));
        const policy rules(1, until::all_done,
                           std::chrono::steady_clock::now() + std::chrono::microseconds(p.deadline_us));
        try {
            co_await ctx.run(1, &make_call<C>, &mine, rules);
        } catch (const timed_out&) {
            mine.late = true;
        }
        out = mine.waits.seen();
        if (out.waited == 0 && !mine.late)
            throw std::runtime_error("a call was cut or not made, and its caller not told");
        if (mine.late && std::chrono::steady_clock::now() < rules.deadline)
            throw std::runtime_error("a caller was told of a deadline that had not passed");
    }

    static std::array<note, 1> notes(const params&, std::span<const output> outputs) {
        std::uint64_t cut = 0;
        for (const output& one : outputs) cut += one.cut;
        return {note{"cut", cut}};
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        std::uint64_t late = 0;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::uint64_t stalls = (i + 1) % p.stalled_every == 0;
            if ((stalls == 0 && outputs[i] == output{1, 0, 0, 1}) || outputs[i] == output{0, 0, 0, 0})
                ++late;
            else if (outputs[i] != output{1, 1 - stalls, 0, stalls})
                return "call " + std::to_string(i) + ": " + std::to_string(outputs[i].begun) + " begun, " +
                       std::to_string(outputs[i].waited) + " in time, " + std::to_string(outputs[i].cut) +
                       " cut off; it should " + (stalls ? "be cut off" : "be in time");
        }
        if (late > 0) throw_timed_out(std::to_string(late) + " calls", p.delay_us, p.deadline_us);
        return {};
    }

  private:
    static constexpr std::uint64_t stalled_us = 20'000'000;

    // In the frame of its item, which lies where all workers see it.
    struct call {
        explicit call(std::chrono::microseconds takes) : time(takes) {}

        std::chrono::microseconds time;
        wait_counter waits;
        bool late = false;
    };

    template <class C>
    static typename C::task make_call(C& ctx, const void* batch, std::size_t) {
        auto& mine = *static_cast<call*>(const_cast<void*>(batch));
        co_await mine.waits.wait(ctx, mine.time);
    }
};

}  // namespace crossover
