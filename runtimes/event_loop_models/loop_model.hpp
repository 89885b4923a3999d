// The common part of models that run a batch on one event loop. Each adds its verbs and its back end.
#pragma once

#include <string>
#include <string_view>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop_models/loop_batch.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover::looped {

// What an item is called with: `Verbs` are the model's, this adds batches of its own.
template <class Verbs>
class context : public Verbs {
  public:
    using Verbs::Verbs;
    context(const context& around, const stop_state* stop) : Verbs(around, stop) {}

    batch<context> run(std::size_t n, job<context> item_job, const void* data, policy rules) {
        check(this->stop());
        return batch<context>(n, item_job, data, rules, *this);
    }
};

// What every model of the family says of itself.
class of_the_family {
  public:
    static constexpr std::string_view family = "event_loop";

    std::size_t guaranteed_concurrency() const { return waits_.guaranteed_concurrency; }
    const std::string& concurrency_limit() const { return waits_.limit; }

  protected:
    static constexpr std::string_view one_thread =
        "has one thread only: see event_loop_threads and event_loop_processes";

  private:
    // A task that only waits takes 240 bytes, 640 where it is made by create_task.
    const waits_allowed waits_ = waits_within_limits(cost_of_waiting{.bytes = 1024});
};

// One scheduled task = one job called from the loop's ready queue; if it suspends, it is a task of the loop
// from then on.
template <class Verbs>
class model : public of_the_family {
  public:
    using context = looped::context<Verbs>;

    void run(std::size_t n, job<context> item_job, const void* data, policy rules) {
        loop_.run_until_complete(whole_batch(n, item_job, data, rules, outside_));
    }

  protected:
    // `outside` is the context around the caller's batches.
    explicit model(const context& outside, const asyncio::loop_options& settings = {})
        : outside_(outside), loop_(settings) {}

    const context& outside() const { return outside_; }
    asyncio::loop& loop() { return loop_; }

  private:
    context outside_;
    asyncio::loop loop_;
};

}  // namespace crossover::looped
