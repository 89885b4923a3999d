// CPU time, switches and faults as the kernel counts them for a process.
#pragma once

#include <sys/resource.h>

#include "runtimes/runtime.hpp"

namespace crossover::processes {

inline usage from_kernel(const rusage& r) {
    auto ns = [](const timeval& t) {
        return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(t.tv_usec) * 1'000;
    };
    auto count = [](long n) { return static_cast<std::uint64_t>(n); };
    return {.user_ns = ns(r.ru_utime),
            .system_ns = ns(r.ru_stime),
            .voluntary_switches = count(r.ru_nvcsw),
            .involuntary_switches = count(r.ru_nivcsw),
            .minor_faults = count(r.ru_minflt),
            .major_faults = count(r.ru_majflt)};
}

inline usage own_usage() {
    rusage r{};
    ::getrusage(RUSAGE_SELF, &r);
    return from_kernel(r);
}

inline void add(usage& to, const usage& more) {
    to.user_ns += more.user_ns;
    to.system_ns += more.system_ns;
    to.voluntary_switches += more.voluntary_switches;
    to.involuntary_switches += more.involuntary_switches;
    to.minor_faults += more.minor_faults;
    to.major_faults += more.major_faults;
}

}  // namespace crossover::processes
