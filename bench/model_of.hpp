// Makes a model of a runtime and a list of workloads.
#pragma once

#include <chrono>

#include "bench/cell_of.hpp"
#include "bench/model.hpp"

namespace crossover::bench {

template <class R, class Workloads>
class model_of final : public model {
  public:
    // Must run before the process has a second thread: the runtime may fork. Throws what the runtime throws.
    explicit model_of(std::size_t cores)
        : begin_(std::chrono::steady_clock::now()),
          runtime_(options{cores, &memory_}),
          end_(std::chrono::steady_clock::now()),
          cells_(cells_of(runtime_, Workloads{})) {
        facts_.name = R::name;
        facts_.family = R::family;
        if constexpr (requires { R::variant_of; })
            facts_.variant_of = R::variant_of;
        else
            facts_.variant_of = R::name;
        facts_.back_end = R::back_end;
        facts_.at_once = runtime_.at_once();
        facts_.held = runtime_.held();
        for (verb v : all_verbs) facts_.verbs.emplace_back(name_of(v), R::why_not(v));
        facts_.start_up_ns = static_cast<std::uint64_t>((end_ - begin_).count());
    }

    const model_facts& facts() const override { return facts_; }
    arena& memory() override { return memory_; }
    const std::vector<std::unique_ptr<cell>>& cells() const override { return cells_; }

    std::vector<int> worker_ids() const override {
        if constexpr (has_workers<R>) {
            std::span<const int> ids = runtime_.worker_ids();
            return {ids.begin(), ids.end()};
        } else {
            return {};
        }
    }

    usage workers_used() const override {
        if constexpr (has_workers<R>)
            return runtime_.workers_used();
        else
            return {};
    }

  private:
    arena memory_;
    // The order matters: the clock is read before and after the runtime is made.
    time_point begin_;
    R runtime_;
    time_point end_;
    std::vector<std::unique_ptr<cell>> cells_;
    model_facts facts_;
};

}  // namespace crossover::bench
