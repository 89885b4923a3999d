// Tests that a twin does the same work as the cells: its outputs have the same checksum.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "bench/cell/model_of.hpp"
#include "bench/cell/passes.hpp"
#include "bench/meters/lazy_servers.hpp"
#include "bench/meters/sampler.hpp"
#include "bench/native/native_model.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "runtimes/serial.hpp"

namespace crossover::bench::native {
namespace {

constexpr std::size_t cores = 2;
using twinned = workload_list<fib, skynet, sum_squares, sleepers, fetch>;  // all workloads that have twins

class opened {
  public:
    opened(cell& c, const environment& around) : cell_(c) { cell_.open(around); }
    ~opened() { cell_.close(); }

  private:
    cell& cell_;
};

std::string case_of(const cell_facts& facts) {
    std::string name = facts.workload;
    for (const auto& [key, value] : facts.params) name += '/' + key + ':' + std::to_string(value);
    return name;
}

// The checksums of the smallest size of each workload, on the serial runtime.
std::map<std::string, std::uint64_t> expected_checksums(lazy_origin& origin) {
    arena memory;
    serial runtime(options{1, &memory});
    std::map<std::string, std::uint64_t> sums;
    std::set<std::string> seen;
    for (const auto& c : cells_of(runtime, facts_of(runtime), twinned{})) {
        if (!seen.insert(c->facts().workload).second) continue;
        const opened here(*c, environment{memory, origin.get().address()});
        sums[case_of(c->facts())] = c->check_pass().checksum;
    }
    return sums;
}

std::set<std::string_view> models_with_twins() {
    std::set<std::string_view> all;
    for (const entry& e : registry()) all.insert(e.model);
    return all;
}

TEST(native_twins, give_the_outputs_of_the_suites_cells) {
    lazy_origin origin(std::nullopt);
    const auto expected = expected_checksums(origin);
    std::size_t compared = 0;
    for (std::string_view of : models_with_twins()) {
        const empty_bench before = empty_bench::now();
        const auto twins = make_native_model(of, cores);
        lazy_load load(std::nullopt);
        sampler samples(*twins, origin, load, before);
        for (const auto& c : twins->cells()) {
            const auto sum = expected.find(case_of(c->facts()));
            if (sum == expected.end() || !c->facts().unsupported.empty()) continue;
            SCOPED_TRACE(c->facts().name);
            const sample taken = samples.take(*c, 3);
            EXPECT_EQ(sum->second, taken.checksum);
            ++compared;
        }
    }
    const auto there = std::ranges::count_if(registry(), [](const entry& e) { return e.why_none.empty(); });
    EXPECT_EQ(static_cast<std::size_t>(there), compared) << "each twin has the smallest size of its workload";
}

TEST(native_twins, have_the_units_and_tasks_of_the_suites_cells) {
    arena memory;
    serial runtime(options{1, &memory});
    std::map<std::string, const cell_facts*> of_suite;
    const auto cells = cells_of(runtime, facts_of(runtime), twinned{});
    for (const auto& c : cells) of_suite[case_of(c->facts())] = &c->facts();
    for (std::string_view of : models_with_twins()) {
        const auto twins = make_native_model(of, cores);
        for (const auto& c : twins->cells()) {
            SCOPED_TRACE(c->facts().name);
            const auto twin_of = of_suite.find(case_of(c->facts()));
            ASSERT_NE(of_suite.end(), twin_of);
            EXPECT_EQ(twin_of->second->units, c->facts().units);
            EXPECT_EQ(twin_of->second->scheduled, c->facts().scheduled);
            EXPECT_TRUE(c->facts().in != full || twin_of->second->in != exhaustive);
        }
    }
}

TEST(native_twins, stand_in_the_full_list_at_one_size_of_each_workload_and_never_in_quick) {
    for (std::string_view of : models_with_twins()) {
        const auto twins = make_native_model(of, cores);
        std::map<std::string, int> shown;
        for (const auto& c : twins->cells()) {
            EXPECT_NE(quick, c->facts().in) << c->facts().name;
            shown[c->facts().workload] += c->facts().in == full;
        }
        for (const auto& [workload, sizes] : shown) EXPECT_EQ(1, sizes) << of << ": " << workload;
    }
}

// Milliseconds of work in workers that outlive the sample.
TEST(native_twins, are_charged_for_what_their_processes_use) {
    const empty_bench before = empty_bench::now();
    const auto twins = make_native_model("process_pool", cores);
    lazy_origin origin(std::nullopt);
    lazy_load load(std::nullopt);
    sampler samples(*twins, origin, load, before);
    const auto big = std::ranges::find_if(twins->cells(), [](const auto& c) {
        return case_of(c->facts()) == "sum_squares/tasks:16/n:10000000";
    });
    ASSERT_NE(twins->cells().end(), big);
    const sample taken = samples.take(**big, 1);
    EXPECT_GT(taken.used.user_ns + taken.used.system_ns, 10'000'000U);
}

}  // namespace
}  // namespace crossover::bench::native
