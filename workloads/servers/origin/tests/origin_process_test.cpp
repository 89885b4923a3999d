// origin_process: starting, attaching, ending; nothing stays behind, and refusals name what is in the way.
#include "workloads/servers/origin/origin_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtimes/system/errors.hpp"
#include "workloads/servers/origin/origin_error.hpp"
#include "workloads/servers/origin/tests/test_client.hpp"

namespace crossover {
namespace {

using std::chrono::milliseconds;

bool is_running(pid_t pid) { return ::kill(pid, 0) == 0; }

struct outcome {
    int exit_code = -1;
    std::string output;
};

outcome run(const std::string& command) {
    outcome result;
    FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) result.output += static_cast<char>(c);
    result.exit_code = WEXITSTATUS(::pclose(pipe));
    return result;
}

std::string program() { return origin_process::default_program().string(); }

// A program that does `before` and then becomes the origin.
class wrapped_origin {
  public:
    explicit wrapped_origin(const std::string& before) {
        // Closed: what this process happened to inherit, which the limit counts too.
        std::ofstream(path_) << "#!/bin/sh\nexec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-\n"
                             << before << "\nexec " << program() << "\n";
        ::chmod(path_.c_str(), 0700);
    }
    ~wrapped_origin() { std::filesystem::remove(path_); }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() / ("wrapped_origin_" + std::to_string(::getpid()));
};

// How often `part` stands in `text`, to which a sanitizer without descriptors may have added lines of its
// own.
std::size_t times(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
}

std::string error_of_start(const std::filesystem::path& path) {
    try {
        origin_process::start(path);
    } catch (const std::exception& e) {
        return e.what();
    }
    return "";
}

// Waits for the end of a process that has become a child of this one.
int exit_code_of(pid_t pid) {
    for (int i = 0; i < 1'000; ++i) {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        std::this_thread::sleep_for(milliseconds(10));
    }
    return -2;
}

TEST(origin_process, starts_the_origin_and_ends_it) {
    pid_t pid = 0;
    {
        origin_process server = origin_process::start();
        pid = server.pid();
        EXPECT_EQ(server.address().address, loopback_address);
        EXPECT_NE(server.address().port, 0);
        EXPECT_TRUE(is_running(pid));
        const origin_process moved = std::move(server);
        EXPECT_EQ(moved.pid(), pid);
        EXPECT_EQ(server.pid(), 0);  // NOLINT(bugprone-use-after-move): it says that it has none
    }
    EXPECT_FALSE(is_running(pid));
}

TEST(origin_process, meters_the_cpu_time_of_the_origin) {
    origin_process server = origin_process::start();
    const std::uint64_t before = *server.cpu_ns();
    test_client client(server.address());
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(client.get("/item/1?bytes=100000"));
    const std::uint64_t used = *server.cpu_ns() - before;
    EXPECT_GT(used, 200U * 1'000U) << "a request costs more than a microsecond";
    const origin_stats told = *server.stats();
    EXPECT_NEAR(static_cast<double>(told.cpu_user_ns + told.cpu_sys_ns),
                static_cast<double>(*server.cpu_ns()), 5e6);
}

TEST(origin_process, attaches_to_an_origin_without_owning_it) {
    origin_process owned = origin_process::start();
    {
        origin_process attached = origin_process::attach(owned.address());
        EXPECT_EQ(attached.pid(), 0);
        EXPECT_TRUE(attached.stats().has_value());
        EXPECT_TRUE(attached.cpu_ns().has_value());
    }
    EXPECT_TRUE(owned.stats().has_value());
}

TEST(origin_process, a_server_that_is_not_there_is_named) {
    endpoint gone;
    { gone = origin_process::start().address(); }
    try {
        origin_process::attach(gone);
        FAIL();
    } catch (const origin_error& e) {
        EXPECT_NE(std::string(e.what()).find(to_url(gone)), std::string::npos) << e.what();
    }
}

TEST(origin_process, an_origin_that_died_gives_an_error_and_not_a_number) {
    origin_process server = origin_process::start();
    EXPECT_TRUE(server.stats().has_value());
    ::kill(server.pid(), SIGKILL);
    EXPECT_THROW(server.stats(), origin_error);
}

TEST(origin_process, the_origin_ends_when_its_owner_is_killed) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    int report[2];
    ASSERT_EQ(::pipe(report), 0);
    const pid_t owner = ::fork();
    if (owner == 0) {
        const origin_process server = origin_process::start();
        const pid_t pid = server.pid();
        if (::write(report[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
        ::kill(::getpid(), SIGKILL);
    }
    pid_t pid = 0;
    ASSERT_EQ(::read(report[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    ::waitpid(owner, nullptr, 0);
    EXPECT_EQ(exit_code_of(pid), 0);
    ::close(report[0]);
    ::close(report[1]);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(origin_process, a_forked_copy_leaves_the_origin_alone) {
    origin_process server = origin_process::start();
    const pid_t worker = ::fork();
    if (worker == 0) {
        { const origin_process copy = std::move(server); }
        ::_exit(0);
    }
    ::waitpid(worker, nullptr, 0);
    EXPECT_TRUE(server.stats().has_value());
}

TEST(origin_process, ends_the_origin_while_a_forked_worker_lives) {
    pid_t worker = 0;
    pid_t pid = 0;
    {
        const origin_process server = origin_process::start();
        pid = server.pid();
        worker = ::fork();
        if (worker == 0) {
            ::pause();
            ::_exit(0);
        }
    }
    EXPECT_FALSE(is_running(pid));
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
}

TEST(origin_process, ends_an_origin_that_is_stopped) {
    pid_t pid = 0;
    {
        const origin_process server = origin_process::start();
        pid = server.pid();
        ::kill(pid, SIGSTOP);
    }
    EXPECT_FALSE(is_running(pid));
}

TEST(origin_process, opens_no_descriptor_that_it_does_not_close) {
    const auto open_now = [] {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
            ++count;
        return count;
    };
    const std::size_t before = open_now();
    for (int i = 0; i < 3; ++i) {
        origin_process server = origin_process::start();
        EXPECT_TRUE(server.stats().has_value());
        EXPECT_FALSE(error_of_start("/bin/false").empty());
    }
    EXPECT_EQ(open_now(), before);
}

TEST(origin_process, programs_that_are_no_origin_are_refused_in_one_line) {
    for (const char* path : {"/nonexistent/origin", "/bin/false", "/bin/pwd"}) {
        const std::string error = error_of_start(path);
        EXPECT_NE(error.find(path), std::string::npos) << path << ": " << error;
        EXPECT_EQ(error.find('\n'), std::string::npos) << error;
    }
}

TEST(origin_process, a_start_at_the_descriptor_limit_is_refused_with_the_limit) {
    for (const char* limit : {"5", "6", "7"}) {
        const wrapped_origin starved(std::string("ulimit -n ") + limit);
        const std::string error = error_of_start(starved.path());
        EXPECT_NE(error.find(std::string("open files (ulimit -n) is ") + limit), std::string::npos) << error;
        EXPECT_EQ(times(error, "origin: "), 2U) << "cannot start the origin: origin: ...: " << error;
    }
}

TEST(origin_process, connections_beyond_the_descriptor_limit_are_told_so) {
    const wrapped_origin narrow("ulimit -n 20");
    testing::internal::CaptureStderr();
    {
        origin_process server = origin_process::start(narrow.path());
        std::deque<test_client> clients;
        std::vector<unsigned> statuses;
        for (int i = 0; i < 30; ++i) {
            clients.emplace_back(server.address());
            ASSERT_TRUE(clients.back().get("/item/1")) << i;
            statuses.push_back(clients.back().reply().status());
        }
        EXPECT_EQ(statuses.front(), 200U);
        EXPECT_EQ(statuses.back(), 503U);
        clients.clear();
        std::this_thread::sleep_for(milliseconds(50));
        test_client later(server.address());
        ASSERT_TRUE(later.get("/item/1"));
        EXPECT_EQ(later.reply().status(), 200U) << "room again";
    }
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("open files (ulimit -n) is 20"), std::string::npos) << said;
    EXPECT_EQ(times(said, "origin: "), 1U) << said;
}

TEST(origin_program, wrong_usage_ends_with_2) {
    for (const char* flags : {"--bogus", "--port", "--port x", "--port 65536", "--port -1", "extra"}) {
        const outcome result = run(program() + " " + flags);
        EXPECT_EQ(result.exit_code, 2) << flags;
        EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << result.output;
    }
    EXPECT_EQ(run(program() + " --help").exit_code, 0);
}

TEST(origin_program, a_port_that_is_taken_ends_with_3) {
    const origin_process server = origin_process::start();
    const std::string port = std::to_string(server.address().port);
    const outcome result = run(program() + " --port " + port);
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_NE(result.output.find("port " + port + " is taken"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace crossover
