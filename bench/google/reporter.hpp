// Passes Google Benchmark's rows on to one of its reporters, with the CPU time of the process tree, and
// without what JSON cannot hold.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>

namespace crossover::bench {

class reporter : public benchmark::BenchmarkReporter {
  public:
    // `target` is null for the one that the command line asks for on standard output. `format` is console,
    // json or csv, as in the command line.
    explicit reporter(std::string format, std::unique_ptr<BenchmarkReporter> target = nullptr);

    bool ReportContext(const Context& context) override;
    void ReportRuns(const std::vector<Run>& rows) override;
    void Finalize() override;

    // False once something could not be written.
    bool written() const { return written_; }

    // Everything that would make the output whole if the process ended in the cell `name` with this message.
    std::string last_row(std::string_view name, std::string_view message) const;

  private:
    void tell_warnings() const;
    Run mended(Run row) const;

    std::string format_;
    std::unique_ptr<BenchmarkReporter> owned_;
    BenchmarkReporter& target_;
    std::ostringstream warnings_;
    std::size_t width_ = 0;
    bool opened_ = false;
    bool has_rows_ = false;
    bool written_ = true;
};

// The reporter of --benchmark_out_format.
std::unique_ptr<reporter> file_reporter(const std::string& format);

// The counter that holds a row's CPU time; see reporter.
inline constexpr const char* cpu_counter = "cpu_ns";

}  // namespace crossover::bench
