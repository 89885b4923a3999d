// Answers one line per request; whatever a cell does, the next request is read.
#include "bench/serve/serve.hpp"

#include <csignal>
#include <iostream>
#include <string>

#include "bench/serve/outcome.hpp"
#include "bench/serve/protocol.hpp"

namespace crossover::bench {

namespace {

std::string answer(const request& asked, const model& m, sampler& samples) {
    const cell_facts& facts = asked.of->facts();
    if (asked.what == request::kind::describe) return description_line(facts);
    if (!facts.unsupported.empty()) return failure_line({outcome::unsupported, facts.unsupported});
    try {
        if (asked.what == request::kind::check_pass) {
            const account seen = samples.check_pass(*asked.of);
            return check_pass_line(seen, asked.of->bare_ns(m.facts().cores));
        }
        return sample_line(facts, samples.take(*asked.of, asked.iterations, asked.untimed));
    } catch (...) {
        return failure_line(failure_of(std::current_exception()));
    }
}

// False once nobody reads.
bool say(const std::string& line) { return static_cast<bool>(std::cout << line << '\n' << std::flush); }

}  // namespace

int serve(model& m, sampler& samples) {
    std::signal(SIGPIPE, SIG_IGN);  // a driver that has gone is seen by the write
    if (!say(hello_line(m))) return exits::fine;
    for (std::string line; std::getline(std::cin, line);) {
        request asked = read_request(line, m);
        if (asked.what == request::kind::quit) break;
        bool heard =
            say(asked.what == request::kind::unclear ? usage_line(asked.fault) : answer(asked, m, samples));
        if (!heard) break;
    }
    return exits::fine;
}

}  // namespace crossover::bench
