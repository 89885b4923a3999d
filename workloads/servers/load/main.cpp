// The load generator as a program: sends requests to models that connect to it, and tells how long the
// replies took.
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "runtimes/system/inherited.hpp"
#include "workloads/servers/load/generator.hpp"

namespace {

constexpr int usage_error = 2;
constexpr int environment_error = 3;

constexpr const char* usage =
    "usage: load\n"
    "A load generator on 127.0.0.1; prints its address when it listens. Lines that it understands:\n"
    "  session <connections> <requests> <bytes> <rate>   opens a session: ok <id>; rate 0: closed loop\n"
    "  report, forget                                    of the session that was opened on this connection\n"
    "  serve <id> <number>                               this connection serves the session's requests\n"
    "  cpu                                               CPU time of this process, in nanoseconds\n"
    "It ends on SIGTERM, and when its standard input is a pipe and is closed.\n";

// A terminal or a file is no sign of a parent.
bool is_pipe(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

}  // namespace

int main(int argc, char** argv) {
    crossover::forget_inherited();
    if (argc == 2 && std::strcmp(argv[1], "--help") == 0) {
        std::fputs(usage, stdout);
        return 0;
    }
    if (argc > 1) {
        std::fprintf(stderr, "load: unknown flag '%s'; there is none but --help\n", argv[1]);
        return usage_error;
    }
    try {
        std::signal(SIGTERM, [](int) { _exit(0); });
        std::signal(SIGINT, [](int) { _exit(0); });
        prctl(PR_SET_TIMERSLACK, 1UL);  // the usual 50 µs would make every request of an open loop late
        crossover::generator generator(0);
        if (std::printf("http://127.0.0.1:%u\n", static_cast<unsigned>(generator.port())) < 0 ||
            std::fflush(stdout) != 0)
            throw std::runtime_error("cannot print its address: give it an output that can be written");
        generator.run(is_pipe(STDIN_FILENO) ? STDIN_FILENO : -1);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "load: %s\n", e.what());
        return environment_error;
    }
}
