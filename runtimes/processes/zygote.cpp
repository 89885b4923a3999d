// fork, signals and the socket between a runtime and its zygote.
#include "runtimes/processes/zygote.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover::processes {

namespace {

std::ptrdiff_t thread_count() {
    constexpr const char* folder = "/proc/self/task";
    std::error_code error;
    std::filesystem::directory_iterator tasks(folder, error);
    if (error) {
        refuse_if_out_of_descriptors(error.value(), folder);
        throw std::system_error(error, folder);
    }
    return std::distance(begin(tasks), end(tasks));
}

// Ctrl-C reaches the whole group: the parent decides what it means, and takes the workers along when it ends.
// Handlers of the parent make no sense here.
void set_signals() {
    std::signal(SIGINT, SIG_IGN);
    for (int s : {SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD}) std::signal(s, SIG_DFL);
}

}  // namespace

zygote::zygote(const char* who, main_function main, void* argument) {
    if (auto threads = thread_count(); threads != 1)
        throw refused(std::string(who) +
                      " forks its workers before any thread exists, but this process has " +
                      std::to_string(threads) + " threads: make the runtime first");
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        refuse_if_out_of_descriptors(errno, who);
        throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    // No signal may find the child with its parent's handlers.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = ::getpid();
    id_ = ::fork();
    int error = errno;
    if (id_ == 0) {
        // The only thread of the parent forks, so this comes when the parent ends and not before.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::close(ends[0]);
        set_signals();
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        main(ends[1], argument);
        ::_exit(0);
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[1]);
    socket_ = ends[0];
    if (id_ < 0) {
        ::close(socket_);
        refuse_worker(error, who);
    }
}

zygote::~zygote() {
    ::shutdown(socket_, SHUT_RDWR);  // not only close: a process forked since may hold a copy
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
    ::close(socket_);
}

bool send(int socket, const void* message, std::size_t bytes) {
    for (;;) {
        if (::send(socket, message, bytes, MSG_NOSIGNAL) >= 0) return true;
        if (errno != EINTR) return false;
    }
}

int receive(int socket, void* message, std::size_t bytes, bool wait) {
    for (;;) {
        auto n = ::recv(socket, message, bytes, wait ? 0 : MSG_DONTWAIT);
        if (n > 0) return static_cast<int>(n);
        if (n == 0) return -1;
        if (errno == EAGAIN) return 0;
        // The other side ended with messages unread. The kernel says so once, ahead of what it had sent.
        if (errno != EINTR && errno != ECONNRESET) return -1;
    }
}

void await_death(pid_t process) {
    constexpr int patience_ms = 1'000;
    if (const int fd = static_cast<int>(::syscall(SYS_pidfd_open, process, 0)); fd >= 0) {
        pollfd death{fd, POLLIN, 0};
        ::poll(&death, 1, patience_ms);
        ::close(fd);
    } else if (is_withheld(errno)) {
        for (int ms = 0; ms < patience_ms && ::kill(process, 0) == 0; ++ms) ::usleep(1'000);
    }
}

}  // namespace crossover::processes
