// Runs a program from which system calls are withheld, as by the filter of a container or an older kernel:
// withhold ERROR CALL[,CALL...] PROGRAM [ARGUMENT...]
#include "tests/faults/withhold.hpp"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::map<std::string, int> errors{{"EPERM", EPERM}, {"ENOSYS", ENOSYS}, {"EACCES", EACCES}};

#define CALL(name) \
    { #name, SYS_##name }
const std::map<std::string, int> calls{CALL(accept4),
                                       CALL(clone3),
                                       CALL(close_range),
                                       CALL(copy_file_range),
                                       CALL(epoll_create1),
                                       CALL(epoll_pwait2),
                                       CALL(eventfd2),
                                       CALL(faccessat2),
                                       CALL(fallocate),
                                       CALL(futex_waitv),
                                       CALL(getcpu),
                                       CALL(getrandom),
                                       CALL(getrusage),
                                       CALL(io_uring_enter),
                                       CALL(io_uring_register),
                                       CALL(io_uring_setup),
                                       CALL(kcmp),
                                       CALL(madvise),
                                       CALL(membarrier),
                                       CALL(memfd_create),
                                       CALL(mlock),
                                       CALL(openat2),
                                       CALL(perf_event_open),
                                       CALL(personality),
                                       CALL(pidfd_open),
                                       CALL(pidfd_send_signal),
                                       CALL(pipe2),
                                       CALL(ppoll),
                                       CALL(prctl),
                                       CALL(preadv2),
                                       CALL(prlimit64),
                                       CALL(process_vm_readv),
                                       CALL(recvmmsg),
                                       CALL(renameat2),
                                       CALL(rseq),
                                       CALL(sched_getaffinity),
                                       CALL(sched_setaffinity),
                                       CALL(sendfile),
                                       CALL(sendmmsg),
                                       CALL(setitimer),
                                       CALL(signalfd4),
                                       CALL(sigaltstack),
                                       CALL(socketpair),
                                       CALL(splice),
                                       CALL(statx),
                                       CALL(sysinfo),
                                       CALL(timer_create),
                                       CALL(timerfd_create),
                                       CALL(waitid)};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || !errors.contains(argv[1])) {
        ::fprintf(stderr, "usage: withhold ERROR CALL[,CALL...] PROGRAM [ARGUMENT...]\n");
        return 125;
    }
    std::vector<int> numbers;
    std::istringstream names(argv[2]);
    for (std::string name; std::getline(names, name, ',');) {
        const auto call = calls.find(name);
        if (call == calls.end()) {
            ::fprintf(stderr, "withhold: no call %s\n", name.c_str());
            return 125;
        }
        numbers.push_back(call->second);
    }
    if (!crossover::withhold(errors.at(argv[1]), numbers)) {
        ::perror("withhold: seccomp");
        return 126;
    }
    ::execvp(argv[3], argv + 3);
    ::perror(argv[3]);
    return 127;
}
