// getrusage, and sums over the members of `usage`.
#include "bench/own_usage.hpp"

#include <sys/resource.h>

#include <array>

namespace crossover::bench {

namespace {

constexpr std::array members{
    &usage::user_ns,      &usage::system_ns,   &usage::voluntary_switches, &usage::involuntary_switches,
    &usage::minor_faults, &usage::major_faults};
static_assert(sizeof(usage) == members.size() * sizeof(std::uint64_t), "a member of usage is not summed");

std::uint64_t nanoseconds(const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(t.tv_usec) * 1000;
}

usage usage_of(int whom) {
    rusage r{};
    ::getrusage(whom, &r);
    usage u;
    u.user_ns = nanoseconds(r.ru_utime);
    u.system_ns = nanoseconds(r.ru_stime);
    u.voluntary_switches = static_cast<std::uint64_t>(r.ru_nvcsw);
    u.involuntary_switches = static_cast<std::uint64_t>(r.ru_nivcsw);
    u.minor_faults = static_cast<std::uint64_t>(r.ru_minflt);
    u.major_faults = static_cast<std::uint64_t>(r.ru_majflt);
    return u;
}

}  // namespace

usage own_usage() { return usage_of(RUSAGE_SELF); }
usage ended_children_usage() { return usage_of(RUSAGE_CHILDREN); }

usage operator+(const usage& a, const usage& b) {
    usage sum;
    for (auto member : members) sum.*member = a.*member + b.*member;
    return sum;
}

usage operator-(const usage& later, const usage& earlier) {
    usage difference;
    for (auto member : members) difference.*member = later.*member - earlier.*member;
    return difference;
}

}  // namespace crossover::bench
