// Corrects rows before they are shown.
#include "bench/google/reporter.hpp"

#include <cmath>
#include <iostream>

#include "bench/google/google_versions.hpp"
#include "bench/serve/outcome.hpp"

namespace crossover::bench {

namespace {

// Not what went wrong, but what was not tried.
bool not_tried(std::string_view message) {
    return message.starts_with(name_of(outcome::unsupported)) ||
           message.starts_with(name_of(outcome::projected));
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + '"';
}

}  // namespace

reporter::reporter(std::string format, std::unique_ptr<BenchmarkReporter> target)
    : format_(std::move(format)),
      owned_(std::move(target)),
      target_(owned_ ? *owned_ : *benchmark::CreateDefaultDisplayReporter()) {}

bool reporter::ReportContext(const Context& context) {
    width_ = context.name_field_width;
    target_.SetOutputStream(&GetOutputStream());
    target_.SetErrorStream(&warnings_);
    bool go = target_.ReportContext(context);
    if (!owned_) tell_warnings();
    opened_ = true;
    return go;
}

void reporter::tell_warnings() const {
    // That Google Benchmark's own library is a debug build (Debian's is) says nothing about the code that is
    // measured.
    std::istringstream said(warnings_.str());
    for (std::string line; std::getline(said, line);)
        if (!line.starts_with("***WARNING*** Library was built as DEBUG")) std::cerr << line << '\n';
    std::cerr << std::flush;
}

benchmark::BenchmarkReporter::Run reporter::mended(Run row) const {
    if (auto cpu = row.counters.find(cpu_counter); cpu != row.counters.end()) {
        // Google Benchmark's CPU column knows the calling thread only; a pool would look free.
        double value = cpu->second.value;
        row.cpu_accumulated_time = row.aggregate_unit == benchmark::kPercentage
                                       ? value
                                       : value * 1e-9 * static_cast<double>(row.iterations);
        row.counters.erase(cpu);
    }
    // The variation of a counter that is always 0 is not a number, which JSON has no word for.
    std::erase_if(row.counters, [](const auto& counter) { return !std::isfinite(counter.second.value); });
    for (double* time : {&row.real_accumulated_time, &row.cpu_accumulated_time})
        if (!std::isfinite(*time)) *time = 0;
    return row;
}

void reporter::ReportRuns(const std::vector<Run>& rows) {
    if (format_ == "console" && rows.size() > 0 && has_fault(rows.front()) &&
        not_tried(fault_of(rows.front()))) {
        std::string name = rows.front().benchmark_name();
        name.resize(std::max(name.size(), width_), ' ');
        GetOutputStream() << name << ' ' << fault_of(rows.front()) << '\n' << std::flush;
        return;
    }
    std::vector<Run> all;
    for (const Run& row : rows) all.push_back(mended(row));
    target_.ReportRuns(all);
    has_rows_ = has_rows_ || !rows.empty();
    written_ = GetOutputStream().flush().good() && written_;
}

void reporter::Finalize() {
    target_.Finalize();
    opened_ = false;
    written_ = GetOutputStream().flush().good() && written_;
}

std::string reporter::last_row(std::string_view name, std::string_view message) const {
    if (!opened_) return {};
    if (format_ == "json")
        return std::string(has_rows_ ? ",\n" : "") + "    {\n      \"name\": " + quoted(name) +
               ",\n      \"run_name\": " + quoted(name) +
               ",\n      \"run_type\": \"iteration\",\n      \"error_occurred\": true,\n      "
               "\"error_message\": " +
               quoted(message) + "\n    }\n  ]\n}\n";
    if (format_ == "csv") return quoted(name) + ",,,,,,,,true," + quoted(message) + '\n';
    return std::string(name) + " ERROR OCCURRED: '" + std::string(message) + "'\n";
}

std::unique_ptr<reporter> file_reporter(const std::string& format) {
    std::unique_ptr<benchmark::BenchmarkReporter> target;
    if (format == "json") target = std::make_unique<benchmark::JSONReporter>();
    if (format == "console")
        target = std::make_unique<benchmark::ConsoleReporter>(benchmark::ConsoleReporter::OO_None);
    BENCHMARK_DISABLE_DEPRECATED_WARNING
    if (format == "csv") target = std::make_unique<benchmark::CSVReporter>();
    BENCHMARK_RESTORE_DEPRECATED_WARNING
    return std::make_unique<reporter>(format, std::move(target));
}

}  // namespace crossover::bench
