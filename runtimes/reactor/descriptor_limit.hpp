// The limit of open files, for errors that come of it.
#pragma once

#include <sys/resource.h>

#include <cerrno>
#include <string>

namespace crossover {

// "the limit of open files (ulimit -n) is 1024"
inline std::string descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return "the limit of open files (ulimit -n) is " +
           (limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur));
}

// `what` was tried, with the limit where that is why it failed.
inline std::string with_descriptor_limit(const char* what, int error) {
    const bool of_limit = error == EMFILE || error == ENFILE;
    return of_limit ? std::string(what) + " (" + descriptor_limit() + ")" : std::string(what);
}

}  // namespace crossover
