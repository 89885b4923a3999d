// Blocking lines over TCP, and JSON in the longest of them.
#include "bench/load/load_session.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bench/origin/origin_stats.hpp"
#include "runtimes/limits.hpp"

namespace crossover {

namespace {

constexpr timeval patience{5, 0};

origin_error unclear(const std::string& answer) {
    return origin_error("the load generator answered: " +
                        (answer.empty() ? "nothing" : answer.substr(0, 100)));
}

std::uint64_t number_after(std::string_view word, const std::string& line) {
    std::uint64_t number = 0;
    if (!line.starts_with(word)) throw unclear(line);
    const char* end = line.data() + line.size();
    const auto [at, error] = std::from_chars(line.data() + word.size(), end, number);
    if (error != std::errc{} || at != end) throw unclear(line);
    return number;
}

void read_buckets(const nlohmann::json& from, latency_buckets& into) {
    for (const auto& pair : from) into.add(pair.at(0).get<std::uint64_t>(), pair.at(1).get<std::uint64_t>());
}

}  // namespace

load_control::load_control(const endpoint& generator)
    : generator_(generator), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (fd_ < 0) {
        refuse_if_out_of_descriptors(errno, "cannot ask the load generator");
        throw origin_error(std::string("cannot open a socket: ") + std::strerror(errno));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(generator.port);
    address.sin_addr.s_addr = htonl(generator.address);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const std::string reason = std::strerror(errno);
        ::close(fd_);
        throw origin_error("cannot connect to the load generator at " + to_url(generator) + ": " + reason +
                           "; is it running?");
    }
}

// Without a trace: sessions come and go with every sample, and a port must not wait for a minute after each.
load_control::~load_control() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd_);
}

std::string load_control::ask(const std::string& line) {
    const std::string request = line + '\n';
    std::string answer;
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
        std::array<char, 16'384> room;
        for (;;) {
            const ssize_t got = ::recv(fd_, room.data(), room.size(), 0);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            answer.append(room.data(), static_cast<std::size_t>(got));
            if (!answer.ends_with('\n')) continue;
            answer.pop_back();
            return answer;
        }
    }
    throw origin_error("the load generator at " + to_url(generator_) + " does not answer '" + line + "'");
}

std::uint64_t load_control::cpu_ns() { return number_after("cpu ", ask("cpu")); }

load_session::load_session(const endpoint& generator, const load_plan& plan)
    : control_(generator), id_(number_after("ok ", control_.ask(session_line(plan)))) {}

void load_session::forget() { control_.ask("forget"); }

load_report load_session::report() {
    const std::string answer = control_.ask("report");
    load_report r;
    try {
        const nlohmann::json told = nlohmann::json::parse(answer);
        told.at("rounds").get_to(r.rounds);
        told.at("replies").get_to(r.replies);
        told.at("busy_ns").get_to(r.busy_ns);
        told.at("fault").get_to(r.fault);
        read_buckets(told.at("intended"), r.seen.intended);
        read_buckets(told.at("service"), r.seen.service);
    } catch (const nlohmann::json::exception&) {
        throw unclear(answer);
    }
    return r;
}

}  // namespace crossover
