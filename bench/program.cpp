// Flags, limits and the model; then one of the two modes.
#include "bench/program.hpp"

#include <cstdio>
#include <exception>
#include <optional>

#include "bench/google/google.hpp"
#include "bench/meters/cores.hpp"
#include "bench/meters/sampler.hpp"
#include "bench/serve/command_line.hpp"
#include "bench/serve/outcome.hpp"
#include "bench/serve/serve.hpp"
#include "runtimes/system/inherited.hpp"

namespace crossover::bench {

namespace {

int complain(int code, const char* what) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s\n", what);
    return code;
}

int run(int argc, char** argv, std::unique_ptr<model> (*make)(std::size_t cores)) {
    command_line flags = take_flags(argc, argv);
    if (flags.help) {
        std::fputs(help_text, stdout);
        if (std::fflush(stdout) == 0) return exits::fine;
        return complain(exits::environment, "cannot write to standard output: make room, or write elsewhere");
    }
    std::optional<google_flags> google;  // without: no flag of its, and no variable
    if (!flags.serve)
        google.emplace(argc, argv);
    else if (argc > 1)
        throw bad_command_line(std::string("not known beside --serve: ") + argv[1]);
    if (flags.cores) keep_to(*flags.cores);

    empty_bench before = empty_bench::now();
    std::unique_ptr<model> made = make(flags.cores.value_or(cores_allowed()));
    lazy_origin origin(flags.origin);
    lazy_load load(flags.load);
    sampler samples(*made, origin, load, before);
    return google ? run_google(*made, samples, *google, flags.timeout) : serve(*made, samples);
}

}  // namespace

int program(int argc, char** argv, std::unique_ptr<model> (*make)(std::size_t cores)) {
    forget_inherited();
    try {
        return run(argc, argv, make);
    } catch (const bad_command_line& e) {
        return complain(exits::usage, e.what());
    } catch (...) {
        return complain(exits::environment, failure_of(std::current_exception()).reason.c_str());
    }
}

}  // namespace crossover::bench
