// Starts child processes, reads from them, and ends them.
#include "bench/loop_bench/fresh_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace crossover::loop_bench {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::chrono::nanoseconds read_clock(clockid_t clock) {
    timespec now{};
    if (::clock_gettime(clock, &now) != 0) fail("clock_gettime");
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

fresh_process::fresh_process(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        ::dup2(ends[1], STDOUT_FILENO);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
}

fresh_process::~fresh_process() {
    ::close(output_);
    if (pid_ > 1) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

std::string fresh_process::line() {
    std::string text;
    for (char c = 0;;) {
        const ssize_t n = ::read(output_, &c, 1);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) throw std::runtime_error("the child ended without an answer");
        if (c == '\n') return text;
        text += c;
    }
}

std::chrono::nanoseconds fresh_process::cpu_time() const {
    clockid_t clock{};
    if (const int error = ::clock_getcpuclockid(pid_, &clock)) {
        errno = error;
        fail("clock_getcpuclockid");
    }
    return read_clock(clock);
}

std::vector<std::string> myself(const std::string& task) { return {"/proc/self/exe", "--child=" + task}; }

std::chrono::nanoseconds own_cpu_time() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

std::uint64_t own_resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

loopback_listener::loopback_listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) fail("socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
    if (::listen(fd_, 1024) != 0) fail("listen");
}

void loopback_listener::print_port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
}

}  // namespace crossover::loop_bench
