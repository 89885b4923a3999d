// Blocking lines over TCP, and JSON in the longest of them.
#include "workloads/servers/load/load_session.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>

#include "runtimes/system/sockets.hpp"
#include "workloads/servers/origin/origin_error.hpp"

namespace crossover {

namespace {

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

// Without a trace: sessions come and go with every sample, and a port must not wait for a minute after each.
load_control::~load_control() { sockets::abort_on_close(socket_.fd()); }

std::string load_control::ask(const std::string& line) {
    const std::string request = line + '\n';
    std::string answer;
    if (::send(socket_.fd(), request.data(), request.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(request.size())) {
        std::array<char, 16'384> room;
        for (;;) {
            const ssize_t got = ::recv(socket_.fd(), room.data(), room.size(), 0);
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
