// Withholds system calls from this thread and all that it starts, as the filter of a container does.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <vector>

namespace crossover {

// They fail with that error from now on, until the thread ends. Returns false, with errno, where filters are
// not allowed.
inline bool withhold(int error, const std::vector<int>& numbers) {
    const auto rule = [](unsigned code, unsigned value, unsigned char yes, unsigned char no) {
        return sock_filter{static_cast<unsigned short>(code), yes, no, value};
    };
    std::vector<sock_filter> program{rule(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr), 0, 0)};
    for (const int number : numbers) {
        program.push_back(rule(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1));
        program.push_back(rule(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error), 0, 0));
    }
    program.push_back(rule(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0));
    sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace crossover
