// The JSON lines of --serve (bench/README.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/account.hpp"
#include "bench/model.hpp"
#include "bench/outcome.hpp"
#include "bench/sample.hpp"

namespace crossover::bench {

// One line each, without its end.
std::string hello_line(const model& m);
// `bare_ns` as the cell says.
std::string gate_line(const account& a, std::uint64_t bare_ns);
std::string sample_line(const cell_facts& of, const sample& s);
std::string failure_line(const failure& f);
std::string usage_line(std::string_view reason);

// What a request asks for.
struct request {
    enum class kind { gate, sample, quit, unclear } what;
    cell* of = nullptr;
    std::uint64_t iterations = 0;
    std::uint64_t untimed = 0;  // passes before them
    std::string fault;          // of an unclear one
};

// Cells at another pace than those that the model lists, made when they are first asked for.
using further_cells = std::vector<std::unique_ptr<cell>>;

// Never throws for what stands in the line.
request read_request(const std::string& line, const model& m, further_cells& further);

}  // namespace crossover::bench
