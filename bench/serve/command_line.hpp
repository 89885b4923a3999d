// The flags of a bench binary that Google Benchmark does not know.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "runtimes/system/endpoint.hpp"

namespace crossover::bench {

// The command line cannot be understood: one line that names the flag and the remedy.
class bad_command_line : public std::invalid_argument {
  public:
    using invalid_argument::invalid_argument;
};

struct command_line {
    bool serve = false;
    bool help = false;
    std::optional<endpoint> origin;
    std::optional<endpoint> load;
    std::optional<std::size_t> cores;
    // In Google Benchmark mode: how long a check pass or an iteration may take.
    std::chrono::seconds timeout{60};
};

// Takes its own flags ("--flag value" or "--flag=value") out of the arguments and leaves the others.
// Throws bad_command_line.
command_line take_flags(int& argc, char** argv);

// The value of a Google Benchmark flag as that library will read it, from the arguments or, where they do not
// have it, from the environment (--benchmark_out, BENCHMARK_OUT); empty text for a flag without a value.
std::optional<std::string_view> google_flag(int argc, char** argv, std::string_view name);

extern const char* const help_text;
extern const char* const known_flags;  // in one line

}  // namespace crossover::bench
