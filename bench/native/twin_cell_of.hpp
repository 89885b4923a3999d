// A twin as a cell, so that the sampler meters it like the suite's own.
#pragma once

#include <cstring>
#include <stdexcept>

#include "bench/cell/case_facts.hpp"
#include "bench/native/shown_sizes.hpp"
#include "bench/native/twin.hpp"

namespace crossover::bench::native {

inline std::string name_of_twin(std::string_view model) { return "native_" + std::string(model); }

template <class W>
cell_facts twin_facts(const entry& of, const size<typename W::params>& s) {
    cell_facts facts = case_facts<W>(s, "model:" + name_of_twin(of.model));
    facts.in = is_shown<W>(s.params) ? full : exhaustive;
    facts.waits = !of.back_end.empty();
    facts.unsupported = of.why_none;
    return facts;
}

template <class W, class T>
bool fits(const typename W::params& p) {
    if constexpr (requires { T::fits(p); })
        return T::fits(p);
    else
        return true;
}

template <class W, class T>
class twin_cell_of final : public twin_cell {
  public:
    twin_cell_of(const entry& of, const size<typename W::params>& s, std::size_t cores)
        : of_(of), facts_(twin_facts<W>(of, s)), params_(s.params), cores_(cores) {
        if (!fits<W, T>(params_)) facts_.unsupported = "the twin is not written for such a size";
    }

    const cell_facts& facts() const override { return facts_; }

    // The twin stays for the next sample, as a runtime does with its pools.
    void open(const environment& around) override {
        if constexpr (tree<W>)
            outputs_.resize(1);
        else
            outputs_.resize(W::items(params_));
        if (!twin_) twin_ = std::make_unique<T>(params_, setting{cores_, around.origin});
    }

    void close() override {}

    account check_pass() override {
        clear();
        pass();
        if (std::string mistake = W::verify(params_, outputs_); !mistake.empty()) throw wrong_result(mistake);
        account seen;
        seen.executions = executions_of<W>(params_);
        seen.checksum = checksum_ = checksum_of<W>(params_, outputs_);
        return seen;
    }

    void clear() override {
        std::memset(static_cast<void*>(outputs_.data()), 0xff, outputs_.size() * sizeof outputs_[0]);
    }

    void pass() override { twin_->run(outputs_); }

    std::uint64_t check(std::uint64_t) override {
        const std::uint64_t sum = checksum_of<W>(params_, outputs_);
        if (sum != checksum_) throw wrong_result("the outputs are not those of the check pass");
        return sum;
    }

    std::vector<int> worker_ids() const override {
        if constexpr (requires { twin_->worker_ids(); })
            if (twin_) return twin_->worker_ids();
        return {};
    }

    std::unique_ptr<cell> at(const named_params& named) const override {
        return std::make_unique<twin_cell_of>(
            of_, size<typename W::params>{params_with<W>(named), exhaustive}, cores_);
    }

  private:
    const entry& of_;
    cell_facts facts_;
    typename W::params params_;
    std::size_t cores_;
    std::uint64_t checksum_ = 0;
    std::vector<typename W::output> outputs_;
    std::unique_ptr<T> twin_;
};

// Puts twin T of workload W into the registry, beside the model that it is the twin of.
template <class W, class T>
class registered {
  public:
    explicit registered(std::string_view model) {
        std::string_view back_end;
        if constexpr (requires { T::back_end; }) back_end = T::back_end;
        registry().push_back({model, &resources, back_end, {}, &cells});
    }

  private:
    static std::optional<resource_use> resources(std::size_t cores) { return T::resources(cores); }

    static std::vector<std::unique_ptr<twin_cell>> cells(const entry& of, std::size_t cores) {
        std::vector<std::unique_ptr<twin_cell>> all;
        for (const auto& s : W::sizes)
            if (fits<W, T>(s.params)) all.push_back(std::make_unique<twin_cell_of<W, T>>(of, s, cores));
        return all;
    }
};

// A workload for which a model has no native twin, and why: its cell is not supported.
template <class W>
class absent_twin final : public twin_cell {
  public:
    absent_twin(const entry& of, const size<typename W::params>& s) : of_(of), facts_(twin_facts<W>(of, s)) {}

    const cell_facts& facts() const override { return facts_; }
    void open(const environment&) override {}
    void close() override {}
    account check_pass() override { throw std::logic_error("check_pass() of a twin that does not exist"); }
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
            {model, [](std::size_t) { return std::optional<resource_use>(); }, {}, why, &cells});
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
