// CPU time, context switches and page faults, as the kernel counts them.
#pragma once

#include <sys/resource.h>

#include <array>
#include <cstdint>

namespace crossover {

// Of a group of processes or threads, since they started.
struct usage {
    std::uint64_t user_ns = 0;
    std::uint64_t system_ns = 0;
    std::uint64_t voluntary_switches = 0;
    std::uint64_t involuntary_switches = 0;
    std::uint64_t minor_faults = 0;
    std::uint64_t major_faults = 0;

    static constexpr auto members();
    usage& operator+=(const usage& other);
};

constexpr auto usage::members() {
    constexpr std::array all{
        &usage::user_ns,      &usage::system_ns,   &usage::voluntary_switches, &usage::involuntary_switches,
        &usage::minor_faults, &usage::major_faults};
    static_assert(sizeof(usage) == all.size() * sizeof(std::uint64_t), "a member of usage is not listed");
    return all;
}

inline usage& usage::operator+=(const usage& other) {
    for (const auto member : members()) this->*member += other.*member;
    return *this;
}

inline usage operator+(usage a, const usage& b) { return a += b; }

// Both of the same processes, `later` read after `earlier`.
inline usage operator-(usage later, const usage& earlier) {
    for (const auto member : usage::members()) later.*member -= earlier.*member;
    return later;
}

inline usage usage_of(const rusage& r) {
    const auto ns = [](const timeval& t) {
        return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
               static_cast<std::uint64_t>(t.tv_usec) * 1'000;
    };
    const auto count = [](long n) { return static_cast<std::uint64_t>(n); };
    return {.user_ns = ns(r.ru_utime),
            .system_ns = ns(r.ru_stime),
            .voluntary_switches = count(r.ru_nvcsw),
            .involuntary_switches = count(r.ru_nivcsw),
            .minor_faults = count(r.ru_minflt),
            .major_faults = count(r.ru_majflt)};
}

// Of this process: all its threads, living and dead, but no children. About 1 µs.
inline usage own_usage() {
    rusage r{};
    ::getrusage(RUSAGE_SELF, &r);
    return usage_of(r);
}

// Of the children that have been waited for, and theirs.
inline usage ended_children_usage() {
    rusage r{};
    ::getrusage(RUSAGE_CHILDREN, &r);
    return usage_of(r);
}

}  // namespace crossover
