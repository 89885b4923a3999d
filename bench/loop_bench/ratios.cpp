// The table of ratios.
#include "bench/loop_bench/ratios.hpp"

#include <cstdio>

#include "bench/google/google_versions.hpp"

namespace crossover::loop_bench {
namespace {

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

void ratio_reporter::ReportRuns(const std::vector<Run>& runs) {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
        failed_ = failed_ || bench::has_fault(run);
        if (bench::has_fault(run) || run.run_type != Run::RT_Iteration) continue;
        const std::string& name = run.run_name.function_name;
        const std::size_t by = name.find("/by:");
        if (by == std::string::npos) continue;
        const std::string what = name.substr(0, by);
        auto at = std::find_if(operations_.begin(), operations_.end(),
                               [&what](const operation& o) { return o.name == what; });
        if (at == operations_.end()) at = operations_.insert(at, operation{what, {}});
        const bool told = run.run_name.time_type == "manual_time";
        at->nanoseconds[name.substr(by + 4)].push_back(told ? run.GetAdjustedRealTime()
                                                            : run.GetAdjustedCPUTime());
    }
}

void ratio_reporter::Finalize() {
    std::printf("\nCPU nanoseconds per operation (median), and how many times the event loop's:\n");
    for (const operation& o : operations_) {
        std::printf("%-36s", o.name.c_str());
        const auto own = o.nanoseconds.find("event_loop");
        const double base = own == o.nanoseconds.end() ? 0 : median(own->second);
        for (const auto& [library, values] : o.nanoseconds) {
            const double figure = median(values);
            std::printf("  %s %.1f", library.c_str(), figure);
            if (base > 0 && library != "event_loop") std::printf(" (x%.2f)", figure / base);
        }
        std::printf("\n");
    }
}

}  // namespace crossover::loop_bench
