// Gives a pool chunks of items instead of single items: fewer tasks, but a less even distribution.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <stdexcept>

#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/runtime.hpp"

namespace crossover {

// `Pool` has run() as a runtime. Lies in the arena during a batch, because the workers may be processes.
template <class Pool>
class chunked {
    using context = typename Pool::context;
    using task = typename context::task;

  public:
    // Four chunks for each worker, as Python's Pool.map has it: the unlucky worker is late by a quarter of
    // its share at most.
    static constexpr std::size_t chunks_per_worker = 4;

    static void run(Pool& pool, arena& memory, std::size_t workers, std::size_t n, job<context> item_job,
                    const void* data, const policy& rules) {
        const arena::scope here(memory);
        const std::size_t chunks = std::min(n, chunks_per_worker * workers);
        auto* all = memory.make<chunked>(n, item_job, data, rules.stop,
                                         memory.make_array<std::atomic<std::size_t>>(chunks));
        try {
            pool.run(chunks, &chunked::run_chunk, all, rules);
        } catch (const worker_died& death) {
            throw worker_died(all->now_in_[death.index()].load(std::memory_order_relaxed), death.signal());
        } catch (const item_error&) {
            all->items_.finish();
            throw;
        } catch (const timed_out&) {
            all->items_.finish();
            throw;
        }
        if (rules.stop != until::first_result) all->items_.finish();
    }

    // For the arena.
    chunked(std::size_t n, job<context> item_job, const void* data, until rule,
            std::span<std::atomic<std::size_t>> now_in)
        : n_(n), each_(item_job), data_(data), rule_(rule), now_in_(now_in), items_(policy{}, nullptr) {}

  private:
    // Ends as the pool has to note it for the chunk as a whole; what the items ended with is noted here.
    static task run_chunk(context& ctx, const void* batch, std::size_t chunk) {
        auto& all = *static_cast<chunked*>(const_cast<void*>(batch));
        const std::size_t chunks = all.now_in_.size();
        const std::size_t end = first_of(chunk + 1, all.n_, chunks);
        for (std::size_t i = first_of(chunk, all.n_, chunks); i < end; ++i) {
            check(ctx.stop());
            all.now_in_[chunk].store(i, std::memory_order_relaxed);
            bool well = false;
            run_noted(all.items_, i, [&] {
                all.each_(ctx, all.data_, i).finish();
                well = true;
            });
            if (well && all.rule_ == until::first_result) return {};
            if (!well && all.rule_ == until::first_error) fail(ctx);
        }
        if (all.rule_ == until::first_result) fail(ctx);
        return {};
    }

    static std::size_t first_of(std::size_t chunk, std::size_t n, std::size_t chunks) {
        return chunk * (n / chunks) + std::min(chunk, n % chunks);
    }

    [[noreturn]] static void fail(context& ctx) {
        check(ctx.stop());
        throw std::runtime_error("an item of the chunk failed");
    }

    std::size_t n_;
    job<context> each_;
    const void* data_;
    until rule_;
    std::span<std::atomic<std::size_t>> now_in_;  // of each chunk, for the case that its worker dies
    batch_state items_;  // collects errors, and stops nothing: that is the pool's part
};

}  // namespace crossover
