// Model facts for programs without a runtime.
#include "bench/native/native_model.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <ctime>

#include "bench/native/twin_cell_of.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover::bench::native {

std::vector<entry>& registry() {
    static std::vector<entry> all;
    return all;
}

namespace {

// CPU time of a process that has not been waited for, with all its threads.
std::uint64_t cpu_ns_of(int pid) {
    clockid_t clock;
    timespec used{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
    return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(used.tv_nsec);
}

class native_model final : public model {
  public:
    native_model(std::string_view of, std::size_t cores) {
        facts_.name = facts_.variant_of = name_of_twin(of);
        facts_.native_of = of;
        facts_.family = "native";
        facts_.engineered = engineering::library;
        facts_.cores = cores;
        facts_.guaranteed_concurrency = unlimited;
        for (const entry& e : registry()) {
            if (e.model != of) continue;
            if (const auto held = e.resources(cores)) facts_.resources = *held;
            facts_.back_end = std::max(facts_.back_end, std::string(e.back_end));
            for (auto& c : e.cells(e, cores)) cells_.push_back(std::move(c));
        }
    }

    const model_facts& facts() const override { return facts_; }
    arena& memory() override { return memory_; }
    const cell_list& cells() const override { return cells_; }
    cell& keep(std::unique_ptr<cell> further) override { return *cells_.emplace_back(std::move(further)); }

    std::vector<int> worker_ids() const override {
        std::vector<int> all;
        for (const auto& c : cells_) {
            const std::vector<int> ids = static_cast<const twin_cell&>(*c).worker_ids();
            all.insert(all.end(), ids.begin(), ids.end());
        }
        return all;
    }

    // Of the workers that live, all that they used stands as user time: their clock does not tell it apart.
    usage workers_used() const override {
        usage sum = ended_children_usage();
        for (int pid : worker_ids()) sum.user_ns += cpu_ns_of(pid);
        return sum;
    }

  private:
    arena memory_;
    model_facts facts_{};
    cell_list cells_;  // all of them twins
};

}  // namespace

std::unique_ptr<model> make_native_model(std::string_view of, std::size_t cores) {
    return std::make_unique<native_model>(of, cores);
}

}  // namespace crossover::bench::native
