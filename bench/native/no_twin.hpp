// A workload for which a model has no native twin, and why: its cell is not supported.
#pragma once

#include <stdexcept>

#include "bench/native/twin_cell_of.hpp"

namespace crossover::bench::native {

template <class W>
class absent_twin final : public twin_cell {
  public:
    absent_twin(const entry& of, const size<typename W::params>& s) : of_(of), facts_(twin_facts<W>(of, s)) {}

    const cell_facts& facts() const override { return facts_; }
    void open(const environment&) override {}
    void close() override {}
    account gate() override { throw std::logic_error("gate() of a twin that does not exist"); }
    void clear() override {}
    void pass() override {}
    std::uint64_t check(std::uint64_t) override { return 0; }

    std::unique_ptr<cell> at(const named_params& named) const override {
        return std::make_unique<absent_twin>(of_,
                                             size<typename W::params>{params_with<W>(named), exhaustive});
    }

  private:
    const entry& of_;
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
            if (is_shown<W>(s.params)) all.push_back(std::make_unique<absent_twin<W>>(of, s));
        return all;
    }
};

}  // namespace crossover::bench::native
