// What one round of load consists of, and the line in which a client asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace crossover {

// Request k is sent over connection k mod `connections`, each one after the reply to the one before.
struct load_plan {
    std::uint64_t connections = 1;
    std::uint64_t requests = 1;    // of one round, over all connections
    std::uint64_t bytes = 64;      // of a request and of its reply
    std::uint64_t rate_per_s = 0;  // request k is due k / rate after the start; 0: closed loop, due at once

    static constexpr std::uint64_t most_connections = 20'000, most_requests = 10'000'000;
    static constexpr std::uint64_t least_bytes = 8, most_bytes = 1 << 20;
    static constexpr std::uint64_t longest_round_s = 120;

    // Null, or one line that says what is out of bounds.
    const char* fault() const {
        if (connections == 0 || connections > most_connections) return "connections are from 1 to 20000";
        if (requests < connections || requests > most_requests)
            return "requests are from one per connection to 10000000";
        if (bytes < least_bytes || bytes > most_bytes) return "bytes are from 8 to 1048576";
        if (rate_per_s > 0 && requests / rate_per_s > longest_round_s) return "a round may last 120 s";
        return nullptr;
    }
};

// "session <connections> <requests> <bytes> <rate>"
std::string session_line(const load_plan& plan);
// Nothing if the line is no such line.
std::optional<load_plan> read_session_line(std::string_view line);

// The greeting of a connection over which the model serves requests: "serve <session> <connection>"
std::string serve_line(std::uint64_t session, std::uint64_t connection);

}  // namespace crossover
