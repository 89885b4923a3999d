// Reads rlimits, sysctls and cgroups, and their current use.
#include "runtimes/system/limits/allowance.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

#include "runtimes/system/limits/cgroup.hpp"

namespace crossover {

namespace fs = std::filesystem;

namespace {

std::optional<std::size_t> number_in(const fs::path& file) {
    std::size_t number = 0;
    return std::ifstream(file) >> number ? std::optional(number) : std::nullopt;
}

void add_sysctl(std::vector<allowance>& all, const fs::path& root, const char* name, std::size_t used) {
    std::string below(name);
    std::ranges::replace(below, '.', '/');
    if (const auto limit = number_in(root / "proc/sys" / below)) all.push_back({name, *limit, used});
}

void add_ulimit(std::vector<allowance>& all, const char* name, decltype(RLIMIT_AS) which, std::size_t used) {
    rlimit limit{};
    if (::getrlimit(which, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        all.push_back({name, limit.rlim_cur, used});
}

void add_cgroups(std::vector<allowance>& all, const std::vector<cgroup_limit>& limits) {
    for (const cgroup_limit& l : limits) all.push_back({l.file.string(), l.limit, l.used});
}

// The value of a line "key: 1234 ...", in whatever unit it has.
std::size_t value_of(const fs::path& file, std::string_view key) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key) || line.size() == key.size() || line[key.size()] != ':') continue;
        const std::size_t at = line.find_first_of("0123456789");
        std::size_t number = 0;
        if (at != std::string::npos) std::from_chars(line.data() + at, line.data() + line.size(), number);
        return number;
    }
    return 0;
}

// "0.20 0.18 0.12 1/80 11206": 80 threads on this machine.
std::size_t threads_of_machine(const fs::path& root) {
    std::ifstream file(root / "proc/loadavg");
    std::string word;
    for (int i = 0; i < 4; ++i) file >> word;
    std::size_t number = 0;
    if (const std::size_t slash = word.find('/'); slash != std::string::npos)
        std::from_chars(word.data() + slash + 1, word.data() + word.size(), number);
    return number;
}

// The kernel lets root of the machine, and whoever has the capability there, have as many as they like.
bool nproc_binds() {
    std::size_t first = 1, there = 1, count = 0;
    std::ifstream("/proc/self/uid_map") >> first >> there >> count;
    const bool of_the_machine = first == 0 && there == 0 && count == 0xffff'ffff;
    std::ifstream status("/proc/self/status");
    unsigned long long capabilities = 0;
    for (std::string key; status >> key;)
        if (key == "CapEff:") status >> std::hex >> capabilities;
    constexpr unsigned long long sys_admin = 1ULL << 21, sys_resource = 1ULL << 24;
    return !of_the_machine || (::getuid() != 0 && !(capabilities & (sys_admin | sys_resource)));
}

// A process is a folder of its user's, and its folder of threads has a link for each, and two more.
std::size_t threads_of_this_user() {
    const uid_t own = ::getuid();
    std::size_t sum = 0;
    std::error_code gone;
    for (fs::directory_iterator at("/proc", gone), end; at != end; at.increment(gone)) {
        const std::string folder = at->path();
        struct stat seen {};
        if (folder.find_first_not_of("0123456789", sizeof "/proc/" - 1) != std::string::npos) continue;
        if (::stat((folder + "/task").c_str(), &seen) == 0 && seen.st_uid == own && seen.st_nlink > 2)
            sum += seen.st_nlink - 2;
    }
    return sum;
}

}  // namespace

std::size_t allowance::spare() const { return std::min(limit / 2, limit - std::min(limit, used)); }

std::vector<allowance> memory_allowances(const fs::path& root) {
    std::vector<allowance> all;
    const fs::path file = root / "proc/meminfo";
    const std::size_t machine = value_of(file, "MemTotal"), available = value_of(file, "MemAvailable");
    if (machine > 0) all.push_back({"memory of the machine", machine << 10, (machine - available) << 10});
    add_cgroups(all, memory_limits_of_cgroups(root));
    return all;
}

std::vector<allowance> address_space_allowances() {
    std::vector<allowance> all;
    add_ulimit(all, "address space (ulimit -v)", RLIMIT_AS, value_of("/proc/self/status", "VmSize") << 10);
    add_ulimit(all, "data (ulimit -d)", RLIMIT_DATA, value_of("/proc/self/status", "VmData") << 10);
    return all;
}

std::vector<allowance> mapping_allowances(const fs::path& root) {
    std::vector<allowance> all;
    add_sysctl(all, root, "vm.max_map_count", 0);
    return all;
}

std::vector<allowance> task_allowances(const fs::path& root) {
    std::vector<allowance> all;
    const std::size_t used = threads_of_machine(root);
    add_sysctl(all, root, "kernel.threads-max", used);
    add_sysctl(all, root, "kernel.pid_max", used);
    add_cgroups(all, task_limits_of_cgroups(root));
    if (nproc_binds())
        add_ulimit(all, "processes and threads (ulimit -u)", RLIMIT_NPROC, threads_of_this_user());
    return all;
}

}  // namespace crossover
