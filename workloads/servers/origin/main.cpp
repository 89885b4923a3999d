// The origin: an HTTP server on loopback that answers /item/<n> after a given delay with a body that can be
// checked.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/system/system_error.hpp>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "runtimes/system/inherited.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "workloads/servers/origin/server.hpp"

namespace {

using crossover::origin_executor;

constexpr int usage_error = 2;
constexpr int environment_error = 3;

constexpr const char* usage =
    "usage: origin [--port N]\n"
    "An HTTP server on 127.0.0.1; prints its address when it listens (a free port, unless N is given).\n"
    "  /item/<n>?delay_us=<us>&bytes=<bytes>   a body that n and bytes determine, after the delay\n"
    "  /page/<n>?of=<pages>&delay_us=<us>      a page of a graph; some fail, stall or break off\n"
    "  /stats, /stats/reset                    CPU time and counts; reset sets the peak to the present\n"
    "It ends on SIGTERM, and when its standard input is a pipe and is closed.\n";

std::optional<std::uint16_t> number_of(std::string_view text) {
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// A terminal or a file is no sign of a parent: reading the one would stop a background job, the other would
// end at once.
bool is_control_pipe(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

// Stops the server when the other end of standard input is closed, even by the death of its owner.
class parent_watch {
  public:
    explicit parent_watch(boost::asio::io_context& context)
        : context_(context), pipe_(context.get_executor()) {
        if (!is_control_pipe(STDIN_FILENO)) return;
        pipe_.assign(STDIN_FILENO);
        wait();
    }

  private:
    void wait() {
        pipe_.async_read_some(boost::asio::buffer(ignored_),
                              [this](const boost::system::error_code& error, std::size_t) {
                                  if (error)
                                      context_.stop();
                                  else
                                      wait();
                              });
    }

    boost::asio::io_context& context_;
    boost::asio::posix::basic_stream_descriptor<origin_executor> pipe_;
    std::array<char, 64> ignored_;
};

int serve(std::uint16_t port) {
    // No state needs saving, so a signal may end the process where it stands.
    std::signal(SIGTERM, [](int) { _exit(0); });
    std::signal(SIGINT, [](int) { _exit(0); });

    crossover::origin_state state;  // outlives the context, whose pending operations own the sessions
    boost::asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);  // one thread: no locks
    crossover::server server(context, state, port);
    parent_watch watch(context);
    if (std::printf("http://127.0.0.1:%u\n", static_cast<unsigned>(server.port())) < 0 ||
        std::fflush(stdout) != 0)
        throw std::runtime_error("cannot print its address: give it an output that can be written");
    context.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    crossover::forget_inherited();
    std::uint16_t port = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string_view flag = argv[i];
        if (flag == "--help") {
            std::fputs(usage, stdout);
            return 0;
        }
        if (flag != "--port" || i + 1 == argc) {
            std::fprintf(stderr, "origin: %s '%s'; there is --port N only\n",
                         flag == "--port" ? "a number is missing after" : "unknown flag", argv[i]);
            return usage_error;
        }
        const std::optional<std::uint16_t> number = number_of(argv[++i]);
        if (!number) {
            std::fprintf(stderr, "origin: '%s' is not a port; give a number from 0 to 65535\n", argv[i]);
            return usage_error;
        }
        port = *number;
    }
    try {
        try {
            return serve(port);
        } catch (const boost::system::system_error& e) {
            crossover::refuse_if_out_of_descriptors(e.code().value(), "cannot start");
            throw;
        }
    } catch (const std::exception& e) {
        std::fprintf(stderr, "origin: %s\n", e.what());
        return environment_error;
    }
}
