// Why a row of Google Benchmark has no figures, whichever version of the library made it: its fields changed
// their names in 1.8.
#pragma once

#include <string>

namespace crossover::bench {

// `Row` is benchmark::BenchmarkReporter::Run: a parameter, as only what depends on one may name fields that
// are not there.
template <class Row>
bool has_fault(const Row& row) {
    if constexpr (requires { row.skipped; })
        return static_cast<bool>(row.skipped);
    else
        return row.error_occurred;
}

// Empty when it has none.
template <class Row>
const std::string& fault_of(const Row& row) {
    if constexpr (requires { row.skip_message; })
        return row.skip_message;
    else
        return row.error_message;
}

}  // namespace crossover::bench
