// What differs between versions of Google Benchmark: 1.8 renamed the fields of a row and changed the unit of
// times.
#pragma once

#include <string>

namespace crossover::bench {

// `Row` is benchmark::BenchmarkReporter::Run: a parameter, as only what depends on one may name fields that
// are not there.
template <class Row>
inline constexpr bool since_1_8 = requires(const Row& row) {
    row.skipped;
    row.skip_message;
};

// Whether the row has no figures.
template <class Row>
bool has_fault(const Row& row) {
    if constexpr (since_1_8<Row>)
        return static_cast<bool>(row.skipped);
    else
        return row.error_occurred;
}

// Why; empty when it has figures.
template <class Row>
const std::string& fault_of(const Row& row) {
    if constexpr (since_1_8<Row>)
        return row.skip_message;
    else
        return row.error_message;
}

// What follows the number in --benchmark_min_time, and in no other flag: a version that wants the unit
// complains without it, and an earlier one ends the process for it.
template <class Row>
inline constexpr const char* unit_of_min_time = since_1_8<Row> ? "s" : "";

}  // namespace crossover::bench
