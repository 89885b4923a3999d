// serial: one item at a time, on the calling thread. The baseline, and what the suite itself costs.
#pragma once

#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/runtime.hpp"

namespace crossover {

class serial {
  public:
    class context : public blocking::verbs {
      public:
        using verbs::verbs;

        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
            blocking::check(stop());
            one_by_one(n, item_job, batch, rules, own(), stop());
            return {};
        }
    };

    static constexpr std::string_view name = "serial";
    static constexpr std::string_view family = "serial";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::queue:
                return "one item at a time: an item that waits for another would wait forever";
            case verb::offload:
                return "has no thread but the one that runs the items";
            default:
                return "";
        }
    }

    explicit serial(const options&) {}

    std::size_t guaranteed_concurrency() const { return 1; }
    resource_use resources() const { return {}; }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        one_by_one(n, item_job, batch, rules, parker_, nullptr);
    }

  private:
    static void one_by_one(std::size_t n, job<context> item_job, const void* batch, policy rules,
                           blocking::parker& own, const stop_state* outer) {
        batch_state state(rules, outer);
        context ctx(own, state.stop());
        for (std::size_t i = 0; i < n && !state.stopped(); ++i)
            run_noted(state, i, [&] { item_job(ctx, batch, i).finish(); });
        state.finish();
    }

    blocking::parker parker_;
};

static_assert(runtime<serial> && verbs_are_explained<serial>());

}  // namespace crossover
