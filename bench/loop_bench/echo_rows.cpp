// Echo over loopback: CPU time of the server for each request, from connections with one request under way
// each; and the rows of sleepers, which need a process of their own as well.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "bench/loop_bench/fresh_process.hpp"
#include "bench/loop_bench/rows.hpp"

namespace crossover::loop_bench {
namespace {

constexpr std::size_t request_bytes = 64;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

class load {
  public:
    load(int port, int connections) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        for (int i = 0; i < connections; ++i) connect(port);
    }
    load(const load&) = delete;
    load& operator=(const load&) = delete;
    ~load() {
        for (const int fd : connections_) ::close(fd);
        ::close(epoll_);
    }

    // Begins with a request on each connection and ends when all are answered; returns how many there were.
    int perform(int at_least) {
        const int first = static_cast<int>(connections_.size());
        int sent = 0;
        for (const int fd : connections_) {
            request(fd);
            ++sent;
        }
        std::array<epoll_event, 256> events;
        std::array<char, request_bytes> answer;
        for (int under_way = first; under_way > 0;) {
            const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10'000);
            if (n == 0) throw std::runtime_error("the server does not answer");
            for (int i = 0; i < n; ++i) {
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                if (::recv(fd, answer.data(), answer.size(), MSG_WAITALL) != request_bytes) fail("recv");
                if (sent < at_least) {
                    request(fd);
                    ++sent;
                } else {
                    --under_way;
                }
            }
        }
        return sent;
    }

  private:
    void connect(int port) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) fail("socket (see ulimit -n)");
        connections_.push_back(fd);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
    }
    static void request(int fd) {
        static constexpr std::array<char, request_bytes> text{};
        if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != request_bytes) fail("send");
    }

    int epoll_;
    std::vector<int> connections_;
};

void echo(benchmark::State& s, const std::string& server, int connections) {
    for (auto _ : s) {
        try {
            fresh_process serving(myself("serve_" + server));
            load clients(std::stoi(serving.line()), connections);
            clients.perform(10'000);
            const auto before = serving.cpu_time();
            const int requests = clients.perform(100'000);
            const std::chrono::duration<double> spent = serving.cpu_time() - before;
            s.SetIterationTime(spent.count() / requests);
        } catch (const std::exception& e) {
            return s.SkipWithError(e.what());
        }
    }
}

void sleepers(benchmark::State& s, const std::string& library) {
    for (auto _ : s) {
        double tasks = 0;
        double bytes = 0;
        double nanoseconds = 0;
        try {
            fresh_process child(myself("sleepers_" + library));
            std::istringstream(child.line()) >> tasks >> bytes >> nanoseconds;
        } catch (const std::exception& e) {
            return s.SkipWithError(e.what());
        }
        if (tasks == 0) return s.SkipWithError("some did not wake");
        s.SetIterationTime(nanoseconds / tasks / 1e9);
        s.counters["bytes_each"] = bytes / tasks;
        s.counters["tasks"] = tasks;
    }
}

}  // namespace

void add_echo_rows() {
    for (const char* library : {"event_loop", "asio", "boost_fiber"})
        add_told_row("sleepers", library, [library](benchmark::State& s) { sleepers(s, library); });
    for (const int connections : {64, 1000})
        for (const char* server : {"event_loop", "event_loop_uring", "hand_written", "asio"})
            add_told_row("echo_request/connections:" + std::to_string(connections), server,
                         [server, connections](benchmark::State& s) { echo(s, server, connections); });
}

}  // namespace crossover::loop_bench
