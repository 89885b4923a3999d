// A workload as a cell: its facts, its place in the arena, its account and its verifier. See cell.hpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "bench/cell/case_facts.hpp"
#include "bench/cell/cell.hpp"
#include "bench/cell/jobs.hpp"
#include "workloads/contract/workload.hpp"

namespace crossover::bench {

// The shortest time of `work`, in ns: other programs on the machine can only lengthen it. It is done a few
// times, and again for as long as it is no burden to the check pass.
template <class Work>
std::uint64_t shortest_ns(const Work& work) {
    using std::chrono::steady_clock;
    constexpr int least_times = 3, most_times = 10;
    constexpr std::chrono::milliseconds enough(5);
    const auto begin = steady_clock::now();
    auto shortest = steady_clock::duration::max();
    for (int i = 0; i < most_times && (i < least_times || steady_clock::now() - begin < enough); ++i) {
        const auto start = steady_clock::now();
        work();
        shortest = std::min(shortest, steady_clock::now() - start);
    }
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(shortest).count());
}

// What a tree keeps in the arena: its root and the level above it. Other shapes keep nothing.
template <class W>
struct root_of {};
template <tree W>
struct root_of<W> {
    typename W::node* node = nullptr;
    std::uint64_t* units = nullptr;
    level<W>* top = nullptr;
};

// Workload W at one size on a runtime whose type is gone: compiled once for all of them.
template <class W>
class cell_of final : public cell {
  public:
    using params = typename W::params;

    // `runtime` is what `on` tells of and `run` is for; both outlive the cell.
    cell_of(const model_facts& on, void* runtime, passes run, const size<params>& s)
        : facts_(case_facts<W>(s, "model:" + on.name)),
          on_(on),
          runtime_(runtime),
          run_(run),
          params_(s.params) {
        facts_.least_ns = W::least_ns(params_, on.guaranteed_concurrency);
        facts_.needs_load = needs_load<W>();
        if constexpr (requires { W::at_server(params_); }) facts_.at_server = W::at_server(params_);
        if constexpr (requires { W::fresh_process; }) facts_.fresh_process = W::fresh_process;
        facts_.before_pass = has_before_pass<W>;
        facts_.waits =
            std::ranges::any_of(W::needs, [](verb v) { return v == verb::sleep || v == verb::connect; });
        if constexpr (has_arrival_rate<W>)
            for (const auto& f : W::fields)
                if (f.value == W::arrival_rate) facts_.paced_by = f.name;
        facts_.unsupported = why_unsupported(on);
    }

    const cell_facts& facts() const override { return facts_; }

    void open(const environment& around) override {
        mark_ = around.memory.used();
        around_.emplace(around);
        try {
            make_all(around.memory);
        } catch (...) {
            close();
            throw;
        }
    }

    void close() override {
        if constexpr (has_prepared<W>)
            if (batch_ && batch_->prepared) std::destroy_at(batch_->prepared);
        batch_ = nullptr;
        slots_ = {};
        around_->memory.release(mark_);
        around_.reset();
    }

    account check_pass() override {
        if (!run_.check_pass) throw std::logic_error("check_pass() of an unsupported cell");
        arena& seen_by_all = around_->instruments ? *around_->instruments : around_->memory;
        arena::scope here(seen_by_all);
        auto* book = seen_by_all.template make<ledger>(seen_by_all, tree<W> ? 0 : items());
        clear();
        run(run_.check_pass, book);
        account sum = book->total();
        if (std::string mistake = book->mistake(); !mistake.empty()) throw wrong_result(mistake);
        check_tasks(sum.executions, "the check pass ran ");
        sum.checksum = verified();
        return sum;
    }

    std::uint64_t bare_ns(std::size_t cores) const override {
        if constexpr (requires { W::least_work(params_, cores); })
            return shortest_ns([&] { W::least_work(params_, cores); });
        else
            return cell::bare_ns(cores);
    }

    void clear() override {
        std::memset(static_cast<void*>(slots_.data()), 0xff, slots_.size_bytes());
        for (auto& s : slots_) s.marks = 0;
        passes_ = owed_ = 0;
        if constexpr (has_latencies<W>) batch_->prepared->forget();
    }

    void before_pass() override {
        if constexpr (has_before_pass<W>) batch_->prepared->before_pass();
    }

    void pass() override {
        if (run_.timed) run(run_.timed, nullptr);
    }

    std::uint64_t check(std::uint64_t iterations) override {
        check_runs(iterations);
        if (!checksum_) return verified();
        std::uint64_t sum = outputs_checksum();
        if (sum == *checksum_) return sum;
        const std::string mistake = fault();
        throw wrong_result(mistake.empty() ? "the outputs are not those of the check pass" : mistake);
    }

    std::vector<note> notes() const override {
        if constexpr (requires { W::notes(params_, std::span<const typename W::output>()); }) {
            const auto all = W::notes(params_, outputs());
            return {all.begin(), all.end()};
        } else if constexpr (requires { batch_->prepared->notes(); }) {
            const auto all = batch_->prepared->notes();
            return {all.begin(), all.end()};
        } else {
            return {};
        }
    }

    std::unique_ptr<cell> at(const named_params& named) const override {
        return std::make_unique<cell_of>(on_, runtime_, run_,
                                         size<params>{params_with<W>(named), exhaustive});
    }

    std::optional<latencies> measured_latencies() override {
        if constexpr (has_latencies<W>)
            return batch_->prepared->measured();
        else
            return std::nullopt;
    }

    // What the items left after the last pass.
    std::vector<typename W::output> outputs() const {
        std::vector<typename W::output> all;
        all.reserve(slots_.size());
        for (const auto& s : slots_) all.push_back(s.value);
        return all;
    }

  private:
    void check_runs(std::uint64_t iterations) const {
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            const std::uint64_t marks = slots_[i].marks, runs = runs_in(marks);
            if (marks == owed_ && runs == iterations) continue;
            throw wrong_result("item " + std::to_string(i) + " ran " + std::to_string(runs) + " times in " +
                               std::to_string(iterations) + " iterations" +
                               (runs == iterations ? ", but not once in each" : ""));
        }
    }

    std::uint64_t verified() {
        if (std::string mistake = fault(); !mistake.empty()) throw wrong_result(mistake);
        checksum_ = outputs_checksum();
        return *checksum_;
    }

    std::string fault() {
        if constexpr (verifies_with_prepared<W>)
            return W::verify(params_, *batch_->prepared, outputs());
        else
            return W::verify(params_, outputs());
    }

    std::size_t items() const {
        if constexpr (tree<W>)
            return 1;
        else
            return W::items(params_);
    }

    std::string why_unsupported(const model_facts& on) const {
        std::string why;
        for (verb v : W::needs)
            if (const std::string_view reason = missing_reason(on, v); !reason.empty() && !run_.timed)
                why += (why.empty() ? "needs " : "; needs ") + std::string(name_of(v)) + ": " +
                       std::string(reason);
        if (why.empty() && !run_.timed)
            why = "its items share memory, and no worker of this model sees that of another or of the caller";
        if (why.empty() && alive_together<W>(params_) > on.guaranteed_concurrency)
            why = "needs " + std::to_string(alive_together<W>(params_)) + " at once, has " +
                  std::to_string(on.guaranteed_concurrency) +
                  (on.concurrency_limit.empty() ? "" : ": " + on.concurrency_limit);
        if (why.empty() && on.in_chunks && alive_together<W>(params_) > 1 &&
            items() > on.guaranteed_concurrency)
            why = "runs its items in chunks, and one that waits for another may have it in its own chunk";
        return why;
    }

    void make_all(arena& memory) {
        batch_ = memory.make<batch_of<W>>();
        batch_->params = params_;
        slots_ = memory.make_array<slot<typename W::output>>(items());
        batch_->slots = slots_.data();
        if constexpr (has_prepared<W>)
            batch_->prepared = memory.make<typename W::prepared>(*around_, params_);
        if constexpr (tree<W>) {
            root_.node = memory.make<typename W::node>(root());
            root_.units = memory.make<std::uint64_t>();
            root_.top = memory.make<level<W>>();
        }
    }

    auto root() const {
        if constexpr (has_prepared<W>)
            return W::root(params_, *batch_->prepared);
        else
            return W::root(params_);
    }

    using one_pass = decltype(passes::timed);

    void run(one_pass each, ledger* book) {
        const std::uint64_t mark = mark_of_pass(passes_++);
        owed_ += mark;
        if constexpr (tree<W>) {
            *root_.top = {&batch_->params, root_.node, &slots_[0].value, root_.units, book};
            *root_.units = 0;  // else a pass that does nothing would show the count of the one before
            each(runtime_, root_.top, *around_);
            slots_[0].marks += mark;
            check_tasks(*root_.units, "the tree has ");
        } else {
            batch_->book = book;
            batch_->mark = mark;
            each(runtime_, batch_, *around_);
        }
    }

    void check_tasks(std::uint64_t seen, const char* what) const {
        if (const std::uint64_t owed = executions_of<W>(params_); seen != owed)
            throw wrong_result(what + std::to_string(seen) + " tasks, not " + std::to_string(owed));
    }

    std::uint64_t outputs_checksum() const { return checksum_of<W>(params_, outputs()); }

    cell_facts facts_;
    const model_facts& on_;
    void* runtime_;
    passes run_;
    params params_;
    std::optional<environment> around_;
    std::size_t mark_ = 0;
    std::optional<std::uint64_t> checksum_;  // of outputs that were verified
    std::uint64_t passes_ = 0, owed_ = 0;    // since clear(): how many, and the sum of their marks
    batch_of<W>* batch_ = nullptr;
    std::span<slot<typename W::output>> slots_;
    root_of<W> root_;
};

}  // namespace crossover::bench
