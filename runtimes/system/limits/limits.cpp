// Reads the limits at the moment of the refusal.
#include "runtimes/system/limits/limits.hpp"

#include <pthread.h>
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

#include "runtimes/system/bounds.hpp"
#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/allowance.hpp"

namespace crossover {

namespace {

std::string soft_limit(decltype(RLIMIT_AS) which) {
    rlimit limit{};
    ::getrlimit(which, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

std::string descriptor_limit() {
    return "the limit of open files (ulimit -n) is " + soft_limit(RLIMIT_NOFILE);
}

std::string first_line(const char* path) {
    std::string line;
    std::ifstream file(path);
    std::getline(file, line);
    return line.empty() ? "unknown" : line;
}

void tighten(waits_allowed& to, const std::vector<allowance>& all, std::size_t cost) {
    for (const allowance& a : all)
        if (const std::size_t most = a.spare() / cost; most < to.guaranteed_concurrency)
            to = {most, a.name + " is " + std::to_string(a.limit) + ", " + std::to_string(a.used) +
                            " in use, and each takes " + std::to_string(cost)};
}

}  // namespace

waits_allowed waits_within_limits(const cost_of_waiting& cost) {
    waits_allowed most{unlimited, ""};
    tighten(most, memory_allowances(), cost.bytes);
    if (cost.address_bytes > 0) tighten(most, address_space_allowances(), cost.address_bytes);
    if (cost.mappings > 0) tighten(most, mapping_allowances(), cost.mappings);
    if (cost.threads > 0) tighten(most, task_allowances(), cost.threads);
    most.guaranteed_concurrency = std::max<std::size_t>(1, most.guaranteed_concurrency);
    return most;
}

std::size_t stack_bytes_of_threads() {
    pthread_attr_t attributes;
    std::size_t bytes = 0;
    if (::pthread_getattr_default_np(&attributes) != 0) return 0;
    ::pthread_attr_getstacksize(&attributes, &bytes);
    ::pthread_attr_destroy(&attributes);
    return bytes;
}

std::string with_descriptor_limit(const char* action, int error) {
    const bool of_limit = error == EMFILE || error == ENFILE;
    return of_limit ? std::string(action) + " (" + descriptor_limit() + ")" : std::string(action);
}

void refuse_if_out_of_descriptors(int error, const char* action) {
    if (error == EMFILE)
        throw refused(std::string(action) + ": " + std::strerror(error) + ": " + descriptor_limit());
    if (error == ENFILE)
        throw refused(std::string(action) + ": " + std::strerror(error) + ": fs.file-max is " +
                      first_line("/proc/sys/fs/file-max"));
}

void refuse_worker(int error, const char* action) {
    const std::string tried = std::string(action) + ": " + std::strerror(error);
    if (is_withheld(error))
        throw refused(tried + ": a filter around this process (seccomp), or this kernel, does not allow it");
    if (error != EAGAIN && error != ENOMEM) throw refused(tried);
    throw refused(tried + ": the limit of processes and threads (ulimit -u) is " + soft_limit(RLIMIT_NPROC) +
                  ", kernel.threads-max " + first_line("/proc/sys/kernel/threads-max") +
                  ", vm.max_map_count " + first_line("/proc/sys/vm/max_map_count") +
                  ", address space (ulimit -v) " + soft_limit(RLIMIT_AS));
}

void need_address_space(std::size_t bytes, const std::string& action) {
    void* at = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        throw refused(action + " need " + std::to_string(bytes >> 20) + " MiB of address space (" +
                      std::strerror(errno) + "): raise 'ulimit -v', now " + soft_limit(RLIMIT_AS));
    ::munmap(at, bytes);
}

void need_threads(std::size_t count, const char* action) {
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
    if (error != 0) refuse_worker(error, action);
}

}  // namespace crossover
