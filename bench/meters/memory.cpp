// Reads /proc/PID/status and smaps_rollup, and resets VmHWM through clear_refs.
#include "bench/meters/memory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>

namespace crossover::bench {

namespace {

// The sum of the lines "Key:   1234 kB" with these keys, in bytes.
std::uint64_t lines_of(const std::string& path, std::initializer_list<std::string_view> keys) {
    std::uint64_t sum = 0;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        std::size_t colon = line.find(':');
        if (colon == std::string::npos || std::ranges::find(keys, line.substr(0, colon)) == keys.end())
            continue;
        std::size_t at = line.find_first_of("0123456789", colon);
        std::uint64_t kilobytes = 0;
        if (at != std::string::npos) std::from_chars(line.data() + at, line.data() + line.size(), kilobytes);
        sum += kilobytes * 1024;
    }
    return sum;
}

std::uint64_t less(std::uint64_t all, std::uint64_t part) { return all > part ? all - part : 0; }

void forget_peak(const std::string& process) {
    int fd = ::open((process + "/clear_refs").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;  // it has ended
    [[maybe_unused]] auto written = ::write(fd, "5", 1);
    ::close(fd);
}

void add(footprint& sum, const std::string& process) {
    const std::string status = process + "/status";
    sum.peak_rss += less(lines_of(status, {"VmHWM"}), lines_of(status, {"RssFile"}));
    sum.pss += lines_of(process + "/smaps_rollup", {"Pss_Anon", "Pss_Shmem"});
}

}  // namespace

void forget_peaks(std::span<const int> workers) {
    forget_peak("/proc/self");
    for (int pid : workers) forget_peak("/proc/" + std::to_string(pid));
}

footprint memory_of(std::span<const int> workers) {
    footprint sum;
    add(sum, "/proc/self");
    for (int pid : workers) add(sum, "/proc/" + std::to_string(pid));
    return sum;
}

footprint above(const footprint& empty, const footprint& now, std::size_t processes) {
    return {less(now.peak_rss, processes * empty.peak_rss), less(now.pss, empty.pss)};
}

}  // namespace crossover::bench
