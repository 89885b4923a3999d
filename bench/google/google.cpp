// Registers cells, runs them under a watchdog, and turns their outcomes into an exit code.
#include "bench/google/google.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <type_traits>

#include "bench/google/crash_reporter.hpp"
#include "bench/google/reporter.hpp"
#include "bench/serve/build.hpp"
#include "bench/serve/outcome.hpp"
#include "runtimes/system/errors.hpp"

namespace crossover::bench {

namespace {

// Runs one cell as often as Google Benchmark asks for.
class google_run {
  public:
    google_run(sampler& samples, crash_reporter& crashes, std::chrono::seconds timeout)
        : samples_(samples), crashes_(crashes), timeout_(timeout) {}

    void operator()(cell& c, benchmark::State& state) {
        const cell_facts& facts = c.facts();
        if (!facts.unsupported.empty()) return skip(state, {outcome::unsupported, facts.unsupported});
        if (std::chrono::nanoseconds(facts.least_ns) > timeout_) return skip(state, projection(facts));
        try {
            std::chrono::nanoseconds once = under_watch(facts, timeout_, [&] { return samples_.checked(c); });
            auto iterations = static_cast<std::uint64_t>(state.max_iterations);
            // The check pass was slower than an iteration, if anything.
            auto limit = timeout_ + once * 4 * static_cast<std::int64_t>(iterations);
            show(state, facts, under_watch(facts, limit, [&] {
                     return samples_.take(c, iterations, [&] {
                         for ([[maybe_unused]] auto pass : state) {
                             if (facts.before_pass) {
                                 state.PauseTiming();
                                 samples_.before_pass(c);
                                 state.ResumeTiming();
                             }
                             c.pass();
                         }
                     });
                 }));
        } catch (...) {
            skip(state, failure_of(std::current_exception()));
        }
    }

    int exit_code() const { return code_; }

  private:
    template <class Run>
    std::invoke_result_t<Run> under_watch(const cell_facts& facts, std::chrono::nanoseconds limit, Run run) {
        crash_reporter::watch here(crashes_, facts.name, limit);
        return run();
    }

    static failure projection(const cell_facts& facts) {
        return {outcome::projected, "takes at least " + std::to_string(facts.least_ns / 1'000'000'000) +
                                        " s on this model: raise --timeout to run it"};
    }

    void skip(benchmark::State& state, const failure& f) {
        state.SkipWithError((std::string(name_of(f.what)) + ": " + f.reason).c_str());
        if (f.what == outcome::unsupported || f.what == outcome::projected) return;
        if (f.what != outcome::refused && f.what != outcome::unreachable)
            code_ = exits::cell_failed;
        else if (code_ == exits::fine)
            code_ = exits::environment;
    }

    static void show(benchmark::State& state, const cell_facts& facts, const sample& s) {
        auto per_iteration = [&](std::uint64_t sum) {
            return benchmark::Counter(static_cast<double>(sum) / static_cast<double>(s.iterations));
        };
        state.SetItemsProcessed(static_cast<std::int64_t>(facts.units * s.iterations));
        auto& shown = state.counters;
        shown[cpu_counter] = per_iteration(s.used.user_ns + s.used.system_ns);
        shown["cpu_user_ns"] = per_iteration(s.used.user_ns);
        shown["cpu_sys_ns"] = per_iteration(s.used.system_ns);
        shown["voluntary_switches"] = per_iteration(s.used.voluntary_switches);
        shown["involuntary_switches"] = per_iteration(s.used.involuntary_switches);
        shown["peak_rss_bytes"] = static_cast<double>(s.peak_rss_bytes);
        shown["pss_bytes"] = static_cast<double>(s.pss_bytes);
        if (s.origin_cpu_ns) shown["origin_cpu_ns"] = per_iteration(*s.origin_cpu_ns);
        if (s.load_cpu_ns) shown["load_cpu_ns"] = per_iteration(*s.load_cpu_ns);
        if (s.latency) {
            for (const auto& [counter, quantile] :
                 {std::pair("p50_ns", 0.5), {"p99_ns", 0.99}, {"p999_ns", 0.999}})
                if (const auto ns = s.latency->intended.percentile(quantile))
                    shown[counter] = static_cast<double>(*ns);
            shown["max_ns"] = static_cast<double>(s.latency->intended.most());
        }
        for (const note& n : s.notes) shown[std::string(n.name)] = static_cast<double>(n.value);
        char text[32];
        std::snprintf(text, sizeof text, "checksum:%016llx", static_cast<unsigned long long>(s.checksum));
        state.SetLabel(text);
    }

    sampler& samples_;
    crash_reporter& crashes_;
    std::chrono::seconds timeout_;
    int code_ = exits::fine;
};

void add_context(const model& m) {
    for (const auto& [name, value] : build_facts()) benchmark::AddCustomContext(name, value);
    benchmark::AddCustomContext("model", m.facts().name);
    benchmark::AddCustomContext("start_up_ns", std::to_string(m.facts().start_up_ns));
    benchmark::AddCustomContext("threads", std::to_string(m.facts().resources.threads));
    benchmark::AddCustomContext("processes", std::to_string(m.facts().resources.processes));
}

}  // namespace

int run_google(model& m, sampler& samples, const google_flags& flags, std::chrono::seconds timeout) {
    reporter shown(flags.format());
    std::unique_ptr<reporter> filed;
    if (!flags.out().empty()) filed = file_reporter(flags.out_format());
    crash_reporter crashes([&](auto name, auto message) { return shown.last_row(name, message); },
                           [&](auto name, auto message) { return filed->last_row(name, message); },
                           flags.out());
    google_run run(samples, crashes, timeout);

    bool everything = flags.lists() || !flags.filter().empty();
    for (const auto& c : m.cells())
        if (everything || c->facts().in == quick)
            benchmark::RegisterBenchmark(c->facts().name.c_str(), [&run, &c = *c](benchmark::State& state) {
                run(c, state);
            })->UseRealTime();
    add_context(m);

    std::ostringstream said;  // that nothing matched: said once, below
    shown.SetErrorStream(&said);
    std::size_t matched = benchmark::RunSpecifiedBenchmarks(&shown, filed.get());
    if (!shown.written() || !std::cout.flush() || std::fflush(stdout) != 0)
        throw refused("cannot write the results to standard output: make room, or write elsewhere");
    if (filed && !filed->written())
        throw refused("cannot write --benchmark_out=" + flags.out() + ": make room, or write elsewhere");
    if (matched > 0) return run.exit_code();
    std::fprintf(stderr, "--benchmark_filter='%s' matches no cell: --benchmark_list_tests shows them\n",
                 flags.filter().c_str());
    return exits::nothing_matched;
}

}  // namespace crossover::bench
