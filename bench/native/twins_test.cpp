// A twin does the same work as the cells: its outputs have the checksum that every model's have.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "bench/all_cells.hpp"
#include "bench/cell_of.hpp"
#include "bench/command_line.hpp"
#include "bench/lazy_load.hpp"
#include "bench/lazy_origin.hpp"
#include "bench/model_of.hpp"
#include "bench/native/native_model.hpp"
#include "bench/native/twin.hpp"
#include "bench/sampler.hpp"
#include "runtimes/serial.hpp"

namespace crossover::bench::native {
namespace {

constexpr std::size_t cores = 2;

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
    using workloads = workload_list<fib, skynet, sum_squares, sleepers, fetch>;
    arena memory;
    serial runtime(options{1, &memory});
    std::map<std::string, std::uint64_t> sums;
    std::set<std::string> seen;
    static constexpr auto makers = makers_of(workloads{});
    for (const auto& c : cells_of(runtime, facts_of(runtime), workloads{}, makers)) {
        if (!seen.insert(c->facts().workload).second) continue;
        const opened here(*c, environment{memory, origin.get().address()});
        sums[case_of(c->facts())] = c->gate().checksum;
    }
    return sums;
}

TEST(native_twins, give_the_outputs_of_the_suites_cells) {
    lazy_origin origin(std::nullopt);
    const auto expected = expected_checksums(origin);
    const empty_bench before = empty_bench::now();
    const auto all = make_native_model({}, cores);
    lazy_load load(std::nullopt);
    sampler samples(*all, origin, load, before);
    std::set<std::string> compared;
    for (const auto& c : all->cells()) {
        const auto sum = expected.find(case_of(c->facts()));
        if (sum == expected.end()) continue;
        SCOPED_TRACE(c->facts().name);
        const sample taken = samples.take(*c, 3);
        EXPECT_EQ(sum->second, taken.checksum);
        compared.insert(c->facts().name);
    }
    EXPECT_EQ(registry().size(), compared.size()) << "each twin has the smallest size of its workload";
}

TEST(native_twins, have_the_units_and_tasks_of_the_suites_cells) {
    arena memory;
    serial runtime(options{1, &memory});
    std::map<std::string, const cell_facts*> of_suite;
    const auto cells = cells_of(runtime, facts_of(runtime), all_workloads{}, makers_of_all_workloads());
    for (const auto& c : cells) of_suite[case_of(c->facts())] = &c->facts();
    const auto twins = make_native_model({}, cores);
    for (const auto& c : twins->cells()) {
        SCOPED_TRACE(c->facts().name);
        const auto twin_of = of_suite.find(case_of(c->facts()));
        ASSERT_NE(of_suite.end(), twin_of);
        EXPECT_EQ(twin_of->second->units, c->facts().units);
        EXPECT_EQ(twin_of->second->scheduled, c->facts().scheduled);
        EXPECT_EQ(twin_of->second->in, c->facts().in);
    }
}

// Milliseconds of work in each of 16 children, and in workers that outlive the sample.
TEST(native_twins, are_charged_for_what_their_processes_use) {
    for (const char* model : {"process_per_task", "process_pool"}) {
        SCOPED_TRACE(model);
        const empty_bench before = empty_bench::now();
        const auto twins = make_native_model(model, cores);
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
}

TEST(native_twins, of_a_model_that_has_none_are_a_wrong_command_line) {
    EXPECT_THROW(make_native_model("no_such_model", cores), bad_command_line);
}

}  // namespace
}  // namespace crossover::bench::native
