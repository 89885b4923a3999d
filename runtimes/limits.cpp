// Reads the limits from the system at the moment of the refusal.
#include "runtimes/limits.hpp"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "runtimes/cgroup.hpp"
#include "runtimes/errors.hpp"
#include "runtimes/policy.hpp"
#include "runtimes/reactor/descriptor_limit.hpp"

namespace crossover {

namespace {

std::string soft_limit(decltype(RLIMIT_AS) which) {
    rlimit limit{};
    ::getrlimit(which, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

std::string first_line(const char* path) {
    std::string line;
    std::ifstream file(path);
    std::getline(file, line);
    return line.empty() ? "unknown" : line;
}

std::size_t number_in(const char* path) {
    std::size_t number = 0;
    std::ifstream file(path);
    return file >> number ? number : unlimited;
}

}  // namespace

std::size_t waits_within_limits(const cost_of_waiting& of_one) {
    const std::size_t memory = std::min(static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
                                            static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)),
                                        least_in_cgroups("memory", {"memory.max", "memory.limit_in_bytes"}));
    std::size_t most = memory / of_one.bytes;
    if (of_one.mappings > 0) most = std::min(most, number_in("/proc/sys/vm/max_map_count") / of_one.mappings);
    if (of_one.threads > 0)
        most = std::min({most, number_in("/proc/sys/kernel/threads-max") / of_one.threads,
                         number_in("/proc/sys/kernel/pid_max") / of_one.threads,
                         least_in_cgroups("pids", {"pids.max"}) / of_one.threads});
    return std::max<std::size_t>(1, most / 2);
}

void refuse_if_out_of_descriptors(int error, const char* what) {
    if (error == EMFILE)
        throw refused(std::string(what) + ": " + std::strerror(error) + ": " + descriptor_limit());
    if (error == ENFILE)
        throw refused(std::string(what) + ": " + std::strerror(error) + ": fs.file-max is " +
                      first_line("/proc/sys/fs/file-max"));
}

void refuse_worker(int error, const char* what) {
    throw refused(std::string(what) + ": " + std::strerror(error) +
                  ": the limit of processes and threads (ulimit -u) is " + soft_limit(RLIMIT_NPROC) +
                  ", kernel.threads-max " + first_line("/proc/sys/kernel/threads-max") +
                  ", vm.max_map_count " + first_line("/proc/sys/vm/max_map_count") +
                  ", address space (ulimit -v) " + soft_limit(RLIMIT_AS));
}

void need_address_space(std::size_t bytes, const std::string& what) {
    void* at = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        throw refused(what + " need " + std::to_string(bytes >> 20) + " MiB of address space (" +
                      std::strerror(errno) + "): raise 'ulimit -v', now " + soft_limit(RLIMIT_AS));
    ::munmap(at, bytes);
}

void need_threads(std::size_t count, const char* what) {
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    int error = 0;
    try {
        for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&over] { over.wait(false); });
    } catch (const std::system_error& e) {
        error = e.code().value();
    }
    over = true;
    over.notify_all();
    for (std::thread& each : threads) each.join();
    if (error != 0) refuse_worker(error, what);
}

}  // namespace crossover
