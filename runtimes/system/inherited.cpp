// Resets signals through the kernel's own call: glibc hides two of them, which are inherited too.
#include "runtimes/system/inherited.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>

namespace crossover {

namespace {

// To use one fails as with a closed descriptor: each is open the wrong way round.
void take_closed_descriptors() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool says_go_on(int signal) { return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT; }

void use_signals_as_usual() {
    constexpr int signals = 64;
    constexpr std::size_t mask_bytes = signals / 8;
    // The kernel's struct: the action comes first, and all zeros are the usual action.
    using action = std::array<unsigned long, 8>;
    const action usual{};
    action ignoring{};
    ignoring[0] = reinterpret_cast<unsigned long>(SIG_IGN);
    sigset_t pending;
    ::sigpending(&pending);
    for (int s = 1; s <= signals; ++s) {
        action now{};
        if (says_go_on(s) || ::syscall(SYS_rt_sigaction, s, nullptr, now.data(), mask_bytes) != 0) continue;
        const bool ignored = now[0] == ignoring[0];
        // What was sent to somebody who blocked it, as by a timer of his, is dropped by ignoring it; an order
        // to end is not.
        if (s != SIGTERM && ::sigismember(&pending, s) == 1)
            ::syscall(SYS_rt_sigaction, s, ignoring.data(), nullptr, mask_bytes);
        else if (!ignored)
            continue;
        ::syscall(SYS_rt_sigaction, s, ignored ? usual.data() : now.data(), nullptr, mask_bytes);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write()
}

void stop_timers() {
    const itimerval none{};
    ::setitimer(ITIMER_REAL, &none, nullptr);
    ::setitimer(ITIMER_VIRTUAL, &none, nullptr);
    ::setitimer(ITIMER_PROF, &none, nullptr);
}

void let_owner_use_new_files() {
    constexpr mode_t owner = 0700;
    ::umask(::umask(0) & ~owner);
}

// The soft limit is raised to `wanted` as far as the hard one allows; returns what it is then.
rlim_t raise(decltype(RLIMIT_NOFILE) which, rlim_t wanted) {
    rlimit limit{};
    if (::getrlimit(which, &limit) != 0) return RLIM_INFINITY;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = std::min(wanted, limit.rlim_max);
        ::setrlimit(which, &limit);
    }
    return limit.rlim_cur;
}

// Threads have stacks of the size that the limit had when the program was started.
void have_stacks() {
    constexpr rlim_t usual = 8 << 20;
    const std::size_t wanted = std::min(raise(RLIMIT_STACK, usual), usual);
    pthread_attr_t attributes;
    std::size_t bytes = 0;
    if (::pthread_getattr_default_np(&attributes) != 0) return;
    ::pthread_attr_getstacksize(&attributes, &bytes);
    if (bytes < wanted && ::pthread_attr_setstacksize(&attributes, wanted) == 0)
        ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
}

}  // namespace

void forget_inherited() {
    take_closed_descriptors();
    stop_timers();
    use_signals_as_usual();
    let_owner_use_new_files();
    raise(RLIMIT_NOFILE, RLIM_INFINITY);
    have_stacks();
}

}  // namespace crossover
