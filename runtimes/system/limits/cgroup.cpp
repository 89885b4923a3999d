// Finds the groups by /proc/self/cgroup and /proc/self/mountinfo, and walks up to their mount points.
#include "runtimes/system/limits/cgroup.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace crossover {

namespace fs = std::filesystem;

namespace {

// Some folder of a hierarchy, and where it can be seen.
struct mount {
    fs::path shown;
    fs::path point;
    std::string type;     // cgroup or cgroup2
    std::string options;  // of version 1: its controllers among others
};

bool lists(std::string_view comma_separated, std::string_view word) {
    return ("," + std::string(comma_separated) + ",").find("," + std::string(word) + ",") !=
           std::string::npos;
}

// mountinfo writes a space as \040.
std::string unescaped(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int code = 0;
        const char* const digits = text.data() + i + 1;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
            plain += static_cast<char>(code);
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

// "31 23 0:28 /a /sys/fs/cgroup/cpu rw,relatime shared:5 - cgroup cgroup rw,cpu"
std::vector<mount> mounts_of_cgroups(const fs::path& root) {
    std::vector<mount> found;
    std::ifstream file(root / "proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
        const auto dash = std::find(fields.begin(), fields.end(), "-");
        if (fields.size() < 7 || fields.end() - dash < 4 || !dash[1].starts_with("cgroup")) continue;
        found.push_back({unescaped(fields[3]), unescaped(fields[4]), dash[1], dash[3]});
    }
    return found;
}

// The way from the folder that a mount shows down to our group; nothing if our group does not lie in it.
std::optional<fs::path> way_down(const fs::path& shown, const fs::path& group) {
    auto [above, own] = std::mismatch(shown.begin(), shown.end(), group.begin(), group.end());
    // "/.." shows a group around the cgroup namespace: what lies in between is not told.
    if (above != shown.end())
        return std::all_of(above, shown.end(), [](const fs::path& name) { return name == ".."; })
                   ? std::optional(fs::path())
                   : std::nullopt;
    fs::path way;
    for (; own != group.end(); ++own) {
        if (*own == "..") return std::nullopt;
        if (*own != "/") way /= *own;
    }
    return way;
}

void add_upwards(std::vector<fs::path>& folders, const fs::path& top, fs::path way) {
    for (;; way = way.parent_path()) {
        folders.push_back(way.empty() ? top : top / way);
        if (way.empty()) return;
    }
}

// "max", -1 and whatever else is no number are none.
std::optional<std::size_t> number_of(const std::string& word) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return number;
}

// That the file begins with.
std::optional<std::size_t> number_in(const fs::path& file) {
    std::string word;
    return std::ifstream(file) >> word ? number_of(word) : std::nullopt;
}

// The sum of the lines "key number" with these keys.
std::size_t sum_of_lines(const fs::path& file, std::initializer_list<std::string_view> keys) {
    std::size_t sum = 0;
    std::ifstream lines(file);
    std::string key;
    for (std::size_t number = 0; lines >> key >> number;)
        if (std::ranges::find(keys, key) != keys.end()) sum += number;
    return sum;
}

// Without the pages of files. Where groups lie in each other version 1 has the sums under names of their own.
std::size_t memory_in_use(const fs::path& folder) {
    const fs::path stat = folder / "memory.stat";
    const auto now = number_in(folder / "memory.current");
    const std::size_t all = now ? *now : number_in(folder / "memory.usage_in_bytes").value_or(0);
    const std::size_t files = now ? sum_of_lines(stat, {"inactive_file", "active_file"})
                                  : sum_of_lines(stat, {"total_inactive_file", "total_active_file"});
    return all - std::min(all, files);
}

void add_limit(std::vector<cgroup_limit>& limits, const fs::path& file, std::size_t used) {
    constexpr std::size_t beyond_all_memory = std::size_t{1} << 62;  // as version 1 writes that there is none
    if (const auto limit = number_in(file); limit && *limit < beyond_all_memory)
        limits.push_back({file, *limit, used});
}

std::size_t quota_in(const fs::path& folder) {
    std::string quota, period;
    if (!(std::ifstream(folder / "cpu.max") >> quota >> period)) {
        std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
        std::ifstream(folder / "cpu.cfs_period_us") >> period;
    }
    const std::size_t quota_us = number_of(quota).value_or(0), period_us = number_of(period).value_or(0);
    if (quota_us == 0 || period_us == 0) return unlimited;
    return quota_us / period_us + (quota_us % period_us == 0 ? 0 : 1);
}

}  // namespace

std::vector<fs::path> folders_of_cgroups(std::string_view controller, const fs::path& root) {
    std::vector<fs::path> folders;
    const std::vector<mount> mounts = mounts_of_cgroups(root);
    std::ifstream file(root / "proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/a/b", "0::/a/b"
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool version_2 = controllers.empty();
        if (!version_2 && !lists(controllers, controller)) continue;
        const fs::path group = line.substr(second + 1);
        const fs::path usual = root / "sys/fs/cgroup";
        const fs::path place = version_2 ? usual : usual / controllers;
        bool mounted_there = false;
        for (const mount& m : mounts) {
            const fs::path top = root / m.point.relative_path();
            if (std::error_code hidden; !fs::is_directory(top, hidden)) continue;  // by a later mount
            if (version_2 ? m.type != "cgroup2" : !lists(m.options, controller)) continue;
            mounted_there = mounted_there || top == place;
            if (const auto way = way_down(m.shown, group)) add_upwards(folders, top, *way);
        }
        // For what lies at the usual place without a mount of its own.
        if (const auto way = way_down("/", group); way && !mounted_there) add_upwards(folders, place, *way);
    }
    return folders;
}

std::vector<cgroup_limit> memory_limits_of_cgroups(const fs::path& root) {
    std::vector<cgroup_limit> limits;
    for (const fs::path& folder : folders_of_cgroups("memory", root)) {
        const std::size_t used = memory_in_use(folder);
        for (const char* name : {"memory.max", "memory.high", "memory.limit_in_bytes"})
            add_limit(limits, folder / name, used);
        // Also of groups around that are not mounted here.
        const fs::path stat = folder / "memory.stat";
        if (const std::size_t tightest = sum_of_lines(stat, {"hierarchical_memory_limit"}))
            limits.push_back({stat, tightest, used});
    }
    return limits;
}

std::vector<cgroup_limit> task_limits_of_cgroups(const fs::path& root) {
    std::vector<cgroup_limit> limits;
    for (const fs::path& folder : folders_of_cgroups("pids", root))
        add_limit(limits, folder / "pids.max", number_in(folder / "pids.current").value_or(0));
    return limits;
}

std::size_t cores_of_quota(const fs::path& root) {
    std::size_t least = unlimited;
    for (const fs::path& folder : folders_of_cgroups("cpu", root)) least = std::min(least, quota_in(folder));
    return least;
}

}  // namespace crossover
