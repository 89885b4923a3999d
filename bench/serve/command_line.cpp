// Reading flags in both spellings.
#include "bench/serve/command_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

namespace crossover::bench {

const char* const help_text =
    "Runs every workload on one concurrency model. An ordinary Google Benchmark program:\n"
    "without --benchmark_filter it runs the quick list, --benchmark_filter=all runs every size.\n"
    "\n"
    "  --serve            answer requests on standard input (see bench/README.md)\n"
    "  --origin URL       the HTTP server of the fetch workloads; without it one is started\n"
    "  --load URL         the load generator of the echo workloads; without it one is started\n"
    "  --cores N          how many cores the model may use; default: affinity mask and cgroup quota\n"
    "  --timeout SECONDS  how long a check pass or an iteration may take; default: 60\n"
    "  --help\n"
    "\n"
    "  --benchmark_list_tests={true|false}\n"
    "  --benchmark_filter=<regex>\n"
    "  --benchmark_min_time=<seconds>, as in 0.5s\n"
    "  --benchmark_min_warmup_time=<seconds>\n"
    "  --benchmark_repetitions=<number>\n"
    "  --benchmark_enable_random_interleaving={true|false}\n"
    "  --benchmark_report_aggregates_only={true|false}\n"
    "  --benchmark_display_aggregates_only={true|false}\n"
    "  --benchmark_format=<console|json|csv>\n"
    "  --benchmark_out=<file>\n"
    "  --benchmark_out_format=<json|console|csv>\n"
    "  --benchmark_color={auto|true|false}\n"
    "  --benchmark_counters_tabular={true|false}\n"
    "  --benchmark_perf_counters=<counter>,...\n"
    "  --benchmark_context=<key>=<value>,...\n"
    "  --benchmark_time_unit={ns|us|ms|s}\n"
    "  --v=<verbosity>\n"
    "\n"
    "Each of these can come from the environment instead, like BENCHMARK_FILTER. --serve reads none of "
    "them.\n"
    "\n"
    "Exit codes: 0 success; 2 usage; 3 environment; 4 a cell failed; 6 the filter matched nothing.\n";

const char* const known_flags =
    "--serve --origin --load --cores --timeout --help --v --benchmark_{list_tests, filter, min_time, "
    "min_warmup_time, "
    "repetitions, enable_random_interleaving, report_aggregates_only, display_aggregates_only, format, out, "
    "out_format, color, counters_tabular, perf_counters, context, time_unit}";

namespace {

// Goes through the arguments once; those that nobody takes move to the front.
class reader {
  public:
    reader(int& argc, char** argv) : argc_(argc), argv_(argv) {}
    ~reader() { argc_ = kept_; }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;

    bool next() {
        if (at_ + 1 >= argc_) return false;
        current_ = argv_[++at_];
        return true;
    }

    bool is(std::string_view flag) const { return current_ == flag; }

    // The value of `flag` if the present argument is that flag.
    std::optional<std::string_view> value_of(std::string_view flag) {
        if (!current_.starts_with(flag)) return std::nullopt;
        std::string_view rest = current_.substr(flag.size());
        if (rest.starts_with('=')) return rest.substr(1);
        if (!rest.empty()) return std::nullopt;
        if (at_ + 1 >= argc_) throw bad_command_line(std::string(flag) + " needs a value; see --help");
        return argv_[++at_];
    }

    void keep() { argv_[kept_++] = argv_[at_]; }

  private:
    int& argc_;
    char** argv_;
    int at_ = 0;
    int kept_ = 1;
    std::string_view current_;
};

std::uint64_t number(std::string_view flag, std::string_view text, std::uint64_t most) {
    std::uint64_t n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n == 0 || n > most)
        throw bad_command_line(std::string(flag) + " is '" + std::string(text) +
                               "'; it must be a whole number from 1 to " + std::to_string(most));
    return n;
}

endpoint server(std::string_view flag, std::string_view url) {
    try {
        return parse_endpoint(url);
    } catch (const std::invalid_argument& e) {
        throw bad_command_line(std::string(flag) + ' ' + e.what());
    }
}

}  // namespace

command_line take_flags(int& argc, char** argv) {
    command_line taken;
    reader arguments(argc, argv);
    while (arguments.next()) {
        if (arguments.is("--serve")) {
            taken.serve = true;
        } else if (arguments.is("--help") || arguments.is("-h")) {
            taken.help = true;
        } else if (auto origin = arguments.value_of("--origin")) {
            taken.origin = server("--origin", *origin);
        } else if (auto load = arguments.value_of("--load")) {
            taken.load = server("--load", *load);
        } else if (auto cores = arguments.value_of("--cores")) {
            taken.cores = number("--cores", *cores, 1024);
        } else if (auto limit = arguments.value_of("--timeout")) {
            taken.timeout = std::chrono::seconds(number("--timeout", *limit, 86'400));
        } else {
            arguments.keep();
        }
    }
    return taken;
}

std::optional<std::string_view> google_flag(int argc, char** argv, std::string_view name) {
    std::optional<std::string_view> value;
    const std::string flag = "--" + std::string(name);
    for (int i = 1; i < argc; ++i) {
        std::string_view argument = argv[i];
        if (argument == flag) value = "";
        if (argument.starts_with(flag + "=")) value = argument.substr(flag.size() + 1);
    }
    if (value) return value;
    std::string variable(name);
    std::ranges::transform(variable, variable.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (const char* text = std::getenv(variable.c_str())) return text;
    return std::nullopt;
}

}  // namespace crossover::bench
