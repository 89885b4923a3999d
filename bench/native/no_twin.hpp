// A workload for which a model has no native twin, and why: its cell is not supported.
#pragma once

#include <stdexcept>

#include "bench/native/twin_cell_of.hpp"

namespace crossover::bench::native {

class absent_twin final : public twin_cell {
  public:
    explicit absent_twin(cell_facts facts) : facts_(std::move(facts)) {}

    const cell_facts& facts() const override { return facts_; }
    void open(const environment&) override {}
    void close() override {}
    account gate() override { throw std::logic_error("gate() of a twin that does not exist"); }
    void clear() override {}
    void pass() override {}
    std::uint64_t check(std::uint64_t) override { return 0; }

  private:
    cell_facts facts_;
};

template <class W>
class no_twin {
  public:
    no_twin(std::string_view model, std::string_view why) {
        registry().push_back(
            {model, [](std::size_t) { return std::optional<resources>(); }, {}, why, &cells});
    }

  private:
    static std::vector<std::unique_ptr<twin_cell>> cells(const entry& of, std::size_t) {
        std::vector<std::unique_ptr<twin_cell>> all;
        for (const auto& s : W::sizes)
            if (is_shown<W>(s.params)) all.push_back(std::make_unique<absent_twin>(twin_facts<W>(of, s)));
        return all;
    }
};

}  // namespace crossover::bench::native
