// Starting, finding and ending a server without threads and without leaving it behind.
#include "workloads/servers/server_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "runtimes/system/errors.hpp"
#include "runtimes/system/exits.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "workloads/servers/origin/origin_error.hpp"

namespace crossover {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds patience_at_start{10'000};
constexpr milliseconds patience_at_end{500};

class descriptor {
  public:
    explicit descriptor(int fd = -1) : fd_(fd) {}
    ~descriptor() { reset(); }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;

    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_;
};

struct pipe_ends {
    descriptor read;
    descriptor write;

    pipe_ends() {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC) != 0) {
            refuse_if_out_of_descriptors(errno, "cannot start a server");
            if (is_withheld(errno)) refuse_worker(errno, "cannot start a server");
            throw origin_error(std::string("cannot start a server: ") + std::strerror(errno));
        }
        read.reset(fds[0]);
        write.reset(fds[1]);
    }
};

int wait_readable(int fd, std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd entry{fd, POLLIN, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
        if (ready >= 0 || errno != EINTR) return ready;
    }
}

// The program's first line without its end; empty if it closed its output or said nothing in time.
std::string first_line(int fd) {
    const auto deadline = std::chrono::steady_clock::now() + patience_at_start;
    std::string line;
    while (wait_readable(fd, deadline) > 0) {
        char c;
        const ssize_t got = ::read(fd, &c, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (c == '\n') return line;
        line += c;
    }
    return "";
}

// Returns the exit code, or minus the signal that ended the process; kills it if it does not end in time.
int reap(pid_t pid, milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(pid, &status, WNOHANG)) == 0 && std::chrono::steady_clock::now() < deadline)
        ::usleep(1'000);
    if (ended == 0) {
        ::kill(pid, SIGKILL);
        while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// To standard error, what lies in the pipe.
void pass_on(int fd) {
    std::array<char, 4096> part;
    ssize_t got = 0;
    while (wait_readable(fd, {}) > 0 && (got = ::read(fd, part.data(), part.size())) > 0)
        std::fwrite(part.data(), 1, static_cast<std::size_t>(got), stderr);
}

class spawn_settings {
  public:
    spawn_settings(int input, int output) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigemptyset(&none);
        posix_spawnattr_setsigmask(&attributes, &none);
        sigset_t usual;
        sigfillset(&usual);
        posix_spawnattr_setsigdefault(&attributes, &usual);
        // A group of its own: Ctrl-C is for the bench, which still needs the server to end in order.
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~spawn_settings() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    spawn_settings(const spawn_settings&) = delete;
    spawn_settings& operator=(const spawn_settings&) = delete;

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

}  // namespace

std::filesystem::path server_process::beside(const char* name, const char* built) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    auto there = self.parent_path() / name;
    if (!error && std::filesystem::is_regular_file(there, error)) return there;
    return built;
}

server_process::server_process(const char* what, const std::filesystem::path& program) : owner_(::getpid()) {
    const std::string problem = "cannot start the " + std::string(what);
    pipe_ends control;
    pipe_ends output;
    {
        const spawn_settings settings(control.read.get(), output.write.get());
        std::string name = program.string();
        char* const arguments[] = {name.data(), nullptr};
        const int error =
            ::posix_spawn(&pid_, name.c_str(), &settings.actions, &settings.attributes, arguments, environ);
        if (error != 0) pid_ = 0;
        if (error == EAGAIN || error == ENOMEM || is_withheld(error)) refuse_worker(error, problem.c_str());
        if (error != 0)
            throw origin_error(
                problem + ' ' + name + ": " + std::strerror(error) +
                (error == ENOENT ? "; build the target " + std::string(what) + " or give --" + what : ""));
    }
    control.read.reset();
    output.write.reset();

    const std::string line = first_line(output.read.get());
    try {
        if (line.empty()) throw std::invalid_argument("it does not say where it listens");
        address_ = parse_endpoint(line);
    } catch (const std::invalid_argument& e) {
        control.write.reset();
        if (reap(pid_, patience_at_start) == exits::environment) throw refused(problem + ": " + line);
        throw origin_error(problem + ' ' + program.string() + ": " + e.what() +
                           "; give another server with --" + what);
    }
    control_ = control.write.release();
    said_ = output.read.release();
}

server_process::server_process(server_process&& other) noexcept
    : address_(other.address_),
      pid_(std::exchange(other.pid_, 0)),
      control_(std::exchange(other.control_, -1)),
      said_(std::exchange(other.said_, -1)),
      owner_(other.owner_) {}

server_process::~server_process() {
    if (control_ >= 0) ::close(control_);
    const descriptor said(said_);
    if (pid_ <= 1 || owner_ != ::getpid()) return;
    // Workers that were forked meanwhile hold copies of the pipe, so closing it may not be enough.
    ::kill(pid_, SIGTERM);
    reap(pid_, patience_at_end);
    pass_on(said.get());
}

std::optional<std::uint64_t> server_process::cpu_ns() const {
    clockid_t clock;
    timespec time{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace crossover
