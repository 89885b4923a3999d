// The load generator: takes connections that models serve, sends requests over them and times the replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "workloads/servers/load/load_round.hpp"

namespace crossover {

// One thread, one epoll. Every round is bounded in requests and in time (load_plan).
class generator {
  public:
    // Listens on 127.0.0.1; port 0 takes a free one. Throws std::system_error.
    explicit generator(std::uint16_t port);
    ~generator();
    generator(const generator&) = delete;
    generator& operator=(const generator&) = delete;

    std::uint16_t port() const { return port_; }

    // Returns when `watched` (a descriptor, or -1) can be read or its other end is closed.
    void run(int watched);

  private:
    struct session;
    struct connection;

    void accept_all();
    void readable(connection& c);
    void take_line(connection& c, const std::string& line);
    void answer(connection& c, const std::string& line);
    void begin(session& s);
    void offer(session& s);
    void send_request(connection& c);
    void send_rest(connection& c);
    void take_reply(connection& c, const char* bytes, std::size_t count);
    void finish(session& s);
    void abandon(session& s, const std::string& why);
    void close(connection& c);
    std::uint64_t next_wake_ns() const;

    int listener_;
    int epoll_;
    std::uint16_t port_;
    std::uint64_t last_id_ = 0;
    std::unordered_map<std::uint64_t, std::unique_ptr<session>> sessions_;
    std::vector<std::unique_ptr<connection>> connections_;  // by descriptor
    std::vector<std::unique_ptr<connection>> closed_;       // until the events at hand are done with
    std::vector<char> pattern_;                             // what all requests carry behind their number
    std::vector<char> room_;
};

}  // namespace crossover
