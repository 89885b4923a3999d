// The JSON lines of --serve (bench/README.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/cell/account.hpp"
#include "bench/cell/cell.hpp"
#include "bench/meters/sample.hpp"
#include "bench/serve/outcome.hpp"

namespace crossover::bench {

// One line each, without its end.
std::string hello_line(const model& m);
std::string description_line(const cell_facts& f);
// `bare_ns` as the cell says.
std::string check_pass_line(const account& a, std::uint64_t bare_ns);
std::string sample_line(const cell_facts& of, const sample& s);
std::string failure_line(const failure& f);
std::string usage_line(std::string_view reason);

// What a request asks for.
struct request {
    enum class kind { describe, check_pass, sample, quit, unclear } what;
    cell* of = nullptr;
    std::uint64_t iterations = 0;
    std::uint64_t untimed = 0;  // passes before them
    std::string fault;          // of an unclear one
};

// The model keeps a cell that is named for the first time. Never throws for what stands in the line.
request read_request(const std::string& line, model& m);

}  // namespace crossover::bench
