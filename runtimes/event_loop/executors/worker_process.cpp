// Worker processes: forking them, and their main loop.
#include "runtimes/event_loop/executors/worker_process.hpp"

#include <cxxabi.h>
#include <dirent.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <typeinfo>

#include "runtimes/event_loop/executors/process_executor.hpp"

namespace crossover::asyncio {

struct worker_supervisor::request {
    pid_t reap = 0;  // 0: start one
};

// With the two descriptors of a worker that was started.
struct worker_supervisor::reply {
    int error = 0;  // 0: none
    pid_t started = 0;
    int status = 0;  // of the one that was reaped
};

namespace {

bool read_all(int fd, void* to, std::size_t bytes) noexcept {
    for (auto* at = static_cast<char*>(to); bytes > 0;) {
        const ssize_t n = ::recv(fd, at, bytes, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        bytes -= static_cast<std::size_t>(n);
    }
    return true;
}

bool write_all(int fd, const void* from, std::size_t bytes) noexcept {
    for (const auto* at = static_cast<const char*>(from); bytes > 0;) {
        const ssize_t n = ::send(fd, at, bytes, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        bytes -= static_cast<std::size_t>(n);
    }
    return true;
}

std::string readable_name(const std::type_info& type) {
    int failed = 0;
    const std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &failed), &std::free);
    return failed ? type.name() : name.get();
}

worker_message::kind call(std::string_view request, std::string& reply) {
    std::string type;
    std::string what;
    try {
        const auto enter = reinterpret_cast<process_executor::entry>(codec<std::uintptr_t>::read(request));
        const auto function = codec<std::uintptr_t>::read(request);
        enter(function, request, reply);
        return worker_message::kind::result;
    } catch (const std::exception& e) {
        type = readable_name(typeid(e));
        what = e.what();
    } catch (...) {
        type = "unknown";
        what = "not a std::exception";
    }
    reply.clear();
    codec<std::string>::write(reply, type);
    codec<std::string>::write(reply, what);
    return worker_message::kind::exception;
}

[[noreturn]] void work(int socket) {
    std::string request;
    std::string reply;
    for (;;) {
        worker_message header;
        if (!read_all(socket, &header, sizeof header)) ::_exit(0);
        request.resize(header.bytes);
        if (!read_all(socket, request.data(), request.size())) ::_exit(0);
        reply.clear();
        header.what = call(request, reply);
        header.bytes = reply.size();
        std::fflush(nullptr);
        if (!write_all(socket, &header, sizeof header) || !write_all(socket, reply.data(), reply.size()))
            ::_exit(0);
    }
}

void send_worker(int control, const worker_process& w, std::span<std::byte> reply) noexcept {
    iovec data{reply.data(), reply.size()};
    std::array<int, 2> fds{w.socket, w.process};
    const std::size_t count = w.socket < 0 ? 0 : w.process < 0 ? 1 : 2;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (count > 0) {
        message.msg_control = space.data();
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        cmsghdr* const head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        std::memcpy(CMSG_DATA(head), fds.data(), count * sizeof(int));
    }
    while (::sendmsg(control, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

// Sets `error` if there is no worker.
worker_process fork_worker(int control, int& error) noexcept {
    worker_process w;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) {
        error = errno;
        return w;
    }
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) error = errno;
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(0);
        ::close(control);
        ::close(ends[0]);
        std::signal(SIGCHLD, SIG_DFL);
        work(ends[1]);
    }
    ::close(ends[1]);
    if (child < 0) {
        ::close(ends[0]);
        return w;
    }
    w.id = child;
    w.socket = ends[0];
    w.process = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    return w;
}

int await_end(pid_t child) noexcept {
    int status = 0;
    ::kill(child, SIGKILL);
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return 0;
    return status;
}

// Signals to the process group (Ctrl-C, a terminal that changes its size) are for the parent, whose loop may
// have handlers for them, and a handler of its would write to what the parent has open. Faults and job
// control act as ever.
void leave_signals_to_parent() noexcept {
    for (int s = 1; s < NSIG; ++s) {
        switch (s) {
            case SIGSEGV:
            case SIGBUS:
            case SIGFPE:
            case SIGILL:
            case SIGABRT:
            case SIGTRAP:
            case SIGSYS:
            case SIGTSTP:
            case SIGTTIN:
            case SIGTTOU:
            case SIGCONT:
            case SIGCHLD:
                std::signal(s, SIG_DFL);
                break;
            default:
                std::signal(s, SIG_IGN);  // SIGKILL and SIGSTOP refuse
        }
    }
}

// Where the kernel closes no range.
void close_open_from(int first) noexcept {
    DIR* const open = ::opendir("/proc/self/fd");
    if (!open) return;
    while (const dirent* const entry = ::readdir(open))
        if (const int fd = std::atoi(entry->d_name); fd >= first && fd != ::dirfd(open)) ::close(fd);
    ::closedir(open);
}

// What the parent has open is not kept open here.
int prepare_nursing(int control) noexcept {
    leave_signals_to_parent();
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    __fpurge(stdout);
    __fpurge(stderr);
    constexpr int first = 3;
    if (control != first) {
        ::dup2(control, first);
        control = first;
    }
    if (::syscall(SYS_close_range, first + 1, ~0U, 0) < 0) close_open_from(first + 1);
    return control;
}

}  // namespace

void worker_supervisor::supervise(int control) {
    control = prepare_nursing(control);
    for (request asked; read_all(control, &asked, sizeof asked);) {
        reply told;
        worker_process w;
        if (asked.reap != 0)
            told.status = await_end(asked.reap);
        else
            w = fork_worker(control, told.error);
        told.started = w.id;
        send_worker(control, w, std::as_writable_bytes(std::span(&told, 1)));
        if (w.socket >= 0) ::close(w.socket);
        if (w.process >= 0) ::close(w.process);
    }
    ::_exit(0);
}

worker_supervisor::worker_supervisor() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0)
        throw std::system_error(errno, std::generic_category(), "socketpair (see ulimit -n)");
    process_ = ::fork();
    const int error = errno;
    if (process_ == 0) {
        ::close(ends[0]);
        supervise(ends[1]);
    }
    ::close(ends[1]);
    control_ = ends[0];
    if (process_ < 0) {
        ::close(control_);
        throw std::system_error(error, std::generic_category(), "forking a worker process (see ulimit -u)");
    }
}

worker_supervisor::~worker_supervisor() {
    ::close(control_);
    if (!mark_.of_this_process()) return;
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

worker_process worker_supervisor::start() {
    const auto refuse = [](int error) {
        throw std::system_error(error, std::generic_category(), "forking a worker process (see ulimit -u)");
    };
    const request asked;
    if (!write_all(control_, &asked, sizeof asked)) refuse(ESRCH);
    reply told;
    iovec data{&told, sizeof told};
    std::array<int, 2> fds{-1, -1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> space{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = space.data();
    message.msg_controllen = space.size();
    ssize_t n;
    do n = ::recvmsg(control_, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != sizeof told) refuse(ESRCH);
    if (told.error != 0) refuse(told.error);
    const cmsghdr* const head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_type != SCM_RIGHTS) {  // no descriptor was free to receive it
        reap(told.started);
        refuse(EMFILE);
    }
    std::memcpy(fds.data(), CMSG_DATA(head), head->cmsg_len - CMSG_LEN(0));
    worker_process w;
    w.socket = fds[0];
    w.process = fds[1];
    w.id = told.started;
    return w;
}

int worker_supervisor::reap(pid_t worker) noexcept {
    if (!mark_.of_this_process()) return 0;
    request asked;
    asked.reap = worker;
    reply told;
    const bool answered = write_all(control_, &asked, sizeof asked) && read_all(control_, &told, sizeof told);
    return answered ? told.status : 0;
}

}  // namespace crossover::asyncio
