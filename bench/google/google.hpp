// The mode in which a bench is an ordinary Google Benchmark program.
#pragma once

#include <chrono>
#include <string>

#include "bench/cell/cell.hpp"
#include "bench/meters/sampler.hpp"

namespace crossover::bench {

// Google Benchmark's own flags, read before there is a model: a mistake must cost no start-up.
class google_flags {
  public:
    // Throws bad_command_line for a flag that nobody knows or whose value cannot be.
    google_flags(int argc, char** argv);

    bool lists() const { return lists_; }
    const std::string& filter() const { return filter_; }
    const std::string& out() const { return out_; }  // file name, or empty
    const std::string& format() const { return format_; }
    const std::string& out_format() const { return out_format_; }

  private:
    bool lists_ = false;
    std::string filter_;
    std::string out_;
    std::string format_ = "console";
    std::string out_format_ = "json";
};

// Runs what the filter names: without one the quick list. Returns the exit code.
int run_google(model& m, sampler& samples, const google_flags& flags, std::chrono::seconds timeout);

}  // namespace crossover::bench
