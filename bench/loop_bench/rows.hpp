// The rows of the benchmark: an operation, by one of the libraries.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

namespace crossover::loop_bench {

// Each registers what its library has of the operations.
void add_event_loop_rows();
void add_asio_rows();
void add_fiber_rows();
void add_libuv_rows();
void add_cpython_rows();
void add_echo_rows();

// One iteration is one operation; its figure is the CPU time of the whole process.
template <class F>
benchmark::internal::Benchmark* add_row(const std::string& operation, const std::string& library, F f) {
    auto* const row = benchmark::RegisterBenchmark((operation + "/by:" + library).c_str(), f);
    return row->MeasureProcessCPUTime()->Unit(benchmark::kNanosecond);
}

// One whose body says itself how much CPU time an operation took.
template <class F>
benchmark::internal::Benchmark* add_told_row(const std::string& operation, const std::string& library, F f) {
    auto* const row = benchmark::RegisterBenchmark((operation + "/by:" + library).c_str(), f);
    return row->UseManualTime()->Iterations(1)->Unit(benchmark::kNanosecond);
}

}  // namespace crossover::loop_bench
