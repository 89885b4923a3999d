// A reporter that ends with a table: what each library takes for an operation, relative to the event loop.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace crossover::loop_bench {

class ratio_reporter : public benchmark::ConsoleReporter {
  public:
    void ReportRuns(const std::vector<Run>& runs) override;
    void Finalize() override;
    bool failed() const noexcept { return failed_; }

  private:
    struct operation {
        std::string name;
        std::map<std::string, std::vector<double>> nanoseconds;  // of each library, one per repetition
    };
    std::vector<operation> operations_;
    bool failed_ = false;
};

}  // namespace crossover::loop_bench
