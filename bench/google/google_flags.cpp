// Checks Google Benchmark's flags: what it does not report, or would exit for.
#include <benchmark/benchmark.h>
#include <regex.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <span>
#include <vector>

#include "bench/google/google.hpp"
#include "bench/google/google_versions.hpp"
#include "bench/serve/command_line.hpp"
#include "bench/serve/outcome.hpp"
#include "runtimes/system/errors.hpp"

namespace crossover::bench {

namespace {

bool is_yes(std::string_view value) {
    return value != "0" && value != "f" && value != "false" && value != "n" && value != "no" &&
           value != "off" && value != "F" && value != "False" && value != "FALSE" && value != "N" &&
           value != "No" && value != "NO" && value != "Off" && value != "OFF";
}

// Google Benchmark calls this for a bad time unit, and would then end with exit code 0.
void refuse_time_unit() {
    std::fputs("--benchmark_time_unit is one of ns, us, ms, s\n", stderr);
    std::exit(exits::usage);
}

void check_filter(const std::string& filter) {
    regex_t compiled;
    std::string pattern = filter.starts_with('-') ? filter.substr(1) : filter;
    if (int error = ::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB)) {
        char text[128];
        ::regerror(error, &compiled, text, sizeof text);
        throw bad_command_line("--benchmark_filter='" + filter +
                               "' is no extended regular expression: " + text);
    }
    ::regfree(&compiled);
}

void check_repetitions(std::string_view text) {
    int number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1)
        throw bad_command_line("--benchmark_repetitions is '" + std::string(text) +
                               "'; it must be a whole number from 1");
}

constexpr std::array times{"benchmark_min_time", "benchmark_min_warmup_time"};

bool is_time(std::string_view argument) {
    return std::ranges::any_of(
        times, [&](const char* name) { return argument.starts_with("--" + std::string(name) + "="); });
}

void check_seconds(const std::string& name, std::string_view given) {
    std::string text(given);
    char* end = nullptr;
    double seconds = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(seconds) || seconds < 0)
        throw bad_command_line("--" + name + " is '" + text +
                               "'; it must be a number of seconds from 0, as in 0.5s");
}

}  // namespace

google_flags::google_flags(int argc, char** argv) {
    auto take = [&](const char* name, std::string& value) {
        if (auto given = google_flag(argc, argv, name)) value = *given;
    };
    if (auto given = google_flag(argc, argv, "benchmark_list_tests")) lists_ = is_yes(*given);
    take("benchmark_out", out_);
    take("benchmark_format", format_);
    take("benchmark_out_format", out_format_);
    for (const std::string& format : {format_, out_format_})
        if (format != "console" && format != "json" && format != "csv")
            throw bad_command_line("format '" + format + "' is not one of console, json, csv");

    if (auto given = google_flag(argc, argv, "benchmark_repetitions")) check_repetitions(*given);
    // 0.5 and 0.5s are the same, whichever the library wants.
    for (int i = 1; i < argc; ++i)
        if (const std::string_view given = argv[i]; is_time(given) && given.ends_with('s'))
            argv[i][given.size() - 1] = '\0';
    for (const char* name : times)
        if (auto given = google_flag(argc, argv, name)) check_seconds(name, *given);
    std::vector<std::string> spelled(argv, argv + argc);
    if (lists_) {  // it would open the file, and so empty it, for a list that goes to standard output
        out_.clear();
        spelled.emplace_back("--benchmark_out=");
    }
    std::vector<char*> arguments{argv[0]};  // the library keeps this one
    for (std::string& argument : std::span(spelled).subspan(1)) {
        if (argument.starts_with("--benchmark_min_time="))
            argument += unit_of_min_time<benchmark::BenchmarkReporter::Run>;
        arguments.push_back(argument.data());
    }
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data(), &refuse_time_unit);
    if (count > 1)
        throw bad_command_line(std::string("unknown flag or value: ") + arguments[1] + "; known are " +
                               known_flags);
    filter_ = benchmark::GetBenchmarkFilter();
    check_filter(filter_);
    if (!out_.empty() && !std::ofstream(out_))
        throw refused("cannot write --benchmark_out=" + out_ + ": choose a file in a folder that is there");
}

}  // namespace crossover::bench
