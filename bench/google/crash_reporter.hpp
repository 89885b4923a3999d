// What is written when a cell hangs or crashes in Google Benchmark mode: rows measured before stay readable,
// and the cell gets its outcome.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace crossover::bench {

// One of a process. Ends the process with exit code 4 when the cell that runs takes too long or brings a
// signal like SIGSEGV; a forked worker dies of the signal as it would without this. No thread is made:
// runtimes fork.
class crash_reporter {
  public:
    // Gives the text that closes an output, for a cell and a message.
    using closing = std::function<std::string(std::string_view name, std::string_view message)>;

    // `file` is the path of the second output, or empty.
    crash_reporter(closing for_stdout, closing for_file, std::string file);
    ~crash_reporter();
    crash_reporter(const crash_reporter&) = delete;
    crash_reporter& operator=(const crash_reporter&) = delete;

    // While it lives, the cell `name` runs and must end within `limit`.
    class watch {
      public:
        watch(crash_reporter& crashes, const std::string& name, std::chrono::nanoseconds limit);
        ~watch();
        watch(const watch&) = delete;
        watch& operator=(const watch&) = delete;
    };

  private:
    void prepare(const std::string& name, std::chrono::nanoseconds limit) const;

    closing for_stdout_;
    closing for_file_;
    std::string file_;
};

}  // namespace crossover::bench
