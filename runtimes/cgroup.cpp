// Reads /proc/self/cgroup and walks up from the groups that it names.
#include "runtimes/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <string>

namespace crossover {

namespace fs = std::filesystem;

std::vector<fs::path> folders_of_cgroups(std::string_view controller, const fs::path& proc,
                                         const fs::path& cgroups) {
    std::vector<fs::path> folders;
    std::ifstream file(proc / "cgroup");
    for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/a/b", "0::/a/b"
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool version_2 = controllers.empty();
        const std::string one = "," + std::string(controller) + ",";
        if (!version_2 && ("," + controllers + ",").find(one) == std::string::npos) continue;
        // In a container the group's path may be that of the host: then only the root is there.
        for (fs::path group = fs::path(line.substr(second + 1)).relative_path();;
             group = group.parent_path()) {
            folders.push_back(cgroups / controllers / group);
            if (group.empty()) break;
        }
    }
    return folders;
}

std::size_t least_in_cgroups(std::string_view controller, std::initializer_list<const char*> files,
                             const fs::path& proc, const fs::path& cgroups) {
    std::size_t least = unlimited;
    for (const fs::path& folder : folders_of_cgroups(controller, proc, cgroups))
        for (const char* name : files)
            if (std::size_t number; std::ifstream(folder / name) >> number)  // "max" is no number
                least = std::min(least, number);
    return least;
}

}  // namespace crossover
