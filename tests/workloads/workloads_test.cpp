// The contract of workloads/contract/workload.hpp as tests: compiled once and linked with each model, each
// workload at its smallest size.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bench/cell/cell.hpp"
#include "bench/meters/cores.hpp"
#include "bench/meters/lazy_servers.hpp"
#include "tests/workloads/right_outputs.hpp"
#include "workloads/all.hpp"
#include "workloads/servers/origin/origin_process.hpp"

namespace crossover {
namespace {

// What a workload owes at its smallest size, whatever the model.
struct owed {
    std::string workload;
    std::vector<verb> needs;
    std::size_t alive_together;
    std::uint64_t executions;
    std::uint64_t (*checksum)();
    bool described;         // its items can work on copies
    bool from_caller_also;  // where they cannot start tasks
};

template <class W>
owed owed_by() {
    const typename W::params smallest = W::sizes[0].params;
    return {std::string(W::name),
            {W::needs.begin(), W::needs.end()},
            alive_together<W>(smallest),
            executions_of<W>(smallest),
            [] { return bench::checksum_of<W>(W::sizes[0].params, right_outputs<W>()); },
            is_described<W>(),
            can_be_started_from_caller<W, serial>};
}

template <class... W>
std::vector<owed> owed_by_all(workload_list<W...>) {
    return {owed_by<W>()...};
}

// Made once: the origin before the model, because a pool of processes forks before there is any thread.
struct surroundings {
    origin_process origin = origin_process::start();
    bench::lazy_load load{std::nullopt};
    std::unique_ptr<bench::model> model = bench::make_model(2);

    static surroundings& one() {
        if (!made) made = std::make_unique<surroundings>();
        return *made;
    }
    static inline std::unique_ptr<surroundings> made;
};

// Ends the model before main() does: Boost.Fiber's own state of the thread is gone when static objects are
// destroyed.
class clean_up : public ::testing::Environment {
  public:
    void TearDown() override { surroundings::made.reset(); }
};
const ::testing::Environment* const clean_up_at_end = ::testing::AddGlobalTestEnvironment(new clean_up);

class workload : public ::testing::TestWithParam<owed> {
  protected:
    void SetUp() override {
        auto& all = surroundings::one();
        for (const auto& one : all.model->cells())
            if (one->facts().workload == GetParam().workload) {
                cell = one.get();  // the first size is the smallest
                break;
            }
        ASSERT_NE(cell, nullptr);
        try {
            cell->open({all.model->memory(), all.origin.address(), std::nullopt, all.load.address(),
                        &all.model->instruments()});
        } catch (const not_supported& e) {
            cell = nullptr;
            GTEST_SKIP() << e.what();
        }
    }
    void TearDown() override {
        if (cell) cell->close();
    }

    // The verbs that this model lacks of those that the workload needs, with the model's reasons.
    static std::vector<std::pair<std::string_view, std::string_view>> lacking() {
        std::vector<std::pair<std::string_view, std::string_view>> all;
        for (const auto& [name, missing_reason] : surroundings::one().model->facts().verbs)
            for (verb needed : GetParam().needs)
                if (name == name_of(needed) && !missing_reason.empty())
                    all.emplace_back(name, missing_reason);
        return all;
    }
    static bool supported() {
        const bench::model_facts& on = surroundings::one().model->facts();
        if (on.copies_batches && GetParam().from_caller_also) return true;
        if (on.copies_batches && !GetParam().described) return false;
        const bool may_wait_for_its_own_chunk = on.in_chunks && GetParam().alive_together > 1 &&
                                                GetParam().executions > on.guaranteed_concurrency;
        return lacking().empty() && GetParam().alive_together <= on.guaranteed_concurrency &&
               !may_wait_for_its_own_chunk;
    }

    bench::cell* cell = nullptr;
};

#define SKIP_IF_UNSUPPORTED() \
    if (!supported()) GTEST_SKIP() << cell->facts().unsupported

TEST_P(workload, is_supported_exactly_where_its_needs_are_met_and_else_says_why) {
    const std::string& reason = cell->facts().unsupported;
    EXPECT_EQ(reason.empty(), supported()) << reason;
    EXPECT_EQ(reason.find('\n'), std::string::npos) << reason;
    if (supported()) return;
    for (const auto& [name, missing_reason] : lacking()) {
        EXPECT_NE(reason.find(name), std::string::npos) << reason;
        EXPECT_NE(reason.find(missing_reason), std::string::npos) << reason;
    }
}

TEST_P(workload, does_all_its_work_and_no_more) {
    SKIP_IF_UNSUPPORTED();
    const bench::account seen = cell->check_pass();
    EXPECT_EQ(seen.executions, GetParam().executions);
    EXPECT_GE(cell->facts().scheduled, seen.executions);
    EXPECT_LE(seen.peak_alive, cell->facts().in_flight);
    EXPECT_GE(seen.threads, 1U);
    EXPECT_GE(seen.processes, 1U);
}

TEST_P(workload, gives_the_same_outputs_again_and_again) {
    SKIP_IF_UNSUPPORTED();
    const std::uint64_t checksum = cell->check_pass().checksum;
    cell->clear();
    cell->pass();
    cell->pass();
    EXPECT_EQ(cell->check(2), checksum);
}

TEST_P(workload, gives_the_outputs_that_every_model_gives) {
    SKIP_IF_UNSUPPORTED();
    EXPECT_EQ(cell->check_pass().checksum, GetParam().checksum());
}

TEST_P(workload, is_told_apart_from_one_that_was_not_run_or_run_too_often) {
    SKIP_IF_UNSUPPORTED();
    cell->check_pass();
    cell->clear();
    EXPECT_THROW(cell->check(1), bench::wrong_result);
    EXPECT_THROW(cell->check(0), bench::wrong_result) << "outputs that nothing wrote";
    cell->pass();
    cell->pass();
    EXPECT_THROW(cell->check(1), bench::wrong_result);
    EXPECT_THROW(cell->check(3), bench::wrong_result);
}

TEST_P(workload, never_beats_its_bound) {
    SKIP_IF_UNSUPPORTED();
    const bench::cell_facts& facts = cell->facts();
    EXPECT_GE(facts.least_ns, facts.bound_ns);
    const auto start = std::chrono::steady_clock::now();
    cell->pass();
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    EXPECT_GE(static_cast<std::uint64_t>(took.count()), facts.bound_ns);
    EXPECT_GE(static_cast<std::uint64_t>(took.count()), cell->bare_ns(bench::cores_allowed()));
}

TEST(waits_in_turn, all_pass_at_once_where_nothing_limits_them) {
    EXPECT_EQ(waits_in_turn(100, unlimited, 2000), 2'000'000U);
    EXPECT_EQ(waits_in_turn(100, 30, 2000), 8'000'000U);
    EXPECT_EQ(waits_in_turn(0, unlimited, 2000), 0U);
}

INSTANTIATE_TEST_SUITE_P(all, workload, ::testing::ValuesIn(owed_by_all(all_workloads{})),
                         [](const auto& tested) { return tested.param.workload; });

}  // namespace
}  // namespace crossover
