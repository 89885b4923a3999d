// skeleton: what the model does, in one line. So far: one item after the other, on the calling thread.
#pragma once

#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

class skeleton {
  public:
    // What an item is given. Its verbs are blocking ones; a model that suspends its items has its own.
    class context : public blocking::verbs {
      public:
        using verbs::verbs;

        blocking::ready<> run(std::size_t n, job<context> each, const void* batch, policy rules) {
            blocking::check(stop());
            run_items(n, each, batch, rules, own(), stop());
            return {};
        }
    };

    static constexpr std::string_view name = "skeleton";
    static constexpr std::string_view family = "peer";  // shown, but does not compete for a verdict
    static constexpr engineering engineered = engineering::library;  // or textbook, or best
    static constexpr std::string_view back_end = "";

    static constexpr std::string_view why_not(verb v) {
        switch (v) {
            case verb::queue:
                return "one item at a time: an item that waits for another would wait for ever";
            case verb::offload:
                return "has no thread but the one that runs the items";
            default:
                return "";
        }
    }

    explicit skeleton(const options&) {}

    std::size_t at_once() const { return 1; }
    resources held() const { return {}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        run_items(n, each, batch, rules, parker_, nullptr);
    }

  private:
    // The model itself: how the items of a batch are handed out.
    static void run_items(std::size_t n, job<context> each, const void* batch, policy rules,
                          blocking::parker& own, const stop_state* outer) {
        batch_state state(rules, outer);
        context ctx(own, state.stop());
        for (std::size_t i = 0; i < n && !state.stopped(); ++i)
            run_noted(state, i, [&] { each(ctx, batch, i).finish(); });
        state.finish();
    }

    blocking::parker parker_;
};

static_assert(runtime<skeleton> && verbs_are_explained<skeleton>());

}  // namespace crossover
