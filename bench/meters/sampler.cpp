// Reads the meters: the last one is read nearest to the timed region.
#include "bench/meters/sampler.hpp"

#include "runtimes/system/usage.hpp"

namespace crossover::bench {

namespace {

using std::chrono::steady_clock;

std::uint64_t nanoseconds(steady_clock::duration d) {
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(d).count());
}

class opened {
  public:
    opened(cell& c, const environment& around) : cell_(c) { cell_.open(around); }
    ~opened() { cell_.close(); }
    opened(const opened&) = delete;
    opened& operator=(const opened&) = delete;

  private:
    cell& cell_;
};

}  // namespace

empty_bench empty_bench::now() { return {memory_of({}), open_kernel_objects({})}; }

environment sampler::around(cell& c) {
    environment here{model_.memory()};
    here.instruments = &model_.instruments();
    if (c.facts().needs_origin) {
        here.origin = origin_.get().address();
        here.external = origin_.get().external();
    }
    if (c.facts().needs_load) here.load = load_.address();
    return here;
}

account sampler::check_pass(cell& c) {
    opened here(c, around(c));
    return check_opened(c);
}

account sampler::check_opened(cell& c) {
    passed_.erase(&c);
    begin_peak_at_origin(c.facts());
    auto begin = steady_clock::now();
    account seen = c.check_pass();
    auto took = steady_clock::now() - begin;
    check_peak_at_origin(c.facts());
    judge(c.facts(), seen);
    passed_[&c] = took;
    return seen;
}

void sampler::judge(const cell_facts& facts, account& seen) const {
    seen.open = most_of(seen.open, open_kernel_objects(model_.worker_ids()));
    seen.kernel_objects = newly_open(seen.open, before_.open);
    const std::string& named = model_.facts().back_end;
    for (const std::string& kind : seen.kernel_objects)
        if (kind != named)
            throw wrong_result("names a back end that it does not run: says '" + named + "', runs " + kind);
    if (facts.waits && !named.empty() && seen.kernel_objects.empty())
        throw wrong_result("names a back end that it does not run: no " + named + " was open");
    if (seen.peak_alive > facts.in_flight)
        throw wrong_result(std::to_string(seen.peak_alive) + " items were alive at once, allowed are " +
                           std::to_string(facts.in_flight));
}

void sampler::begin_peak_at_origin(const cell_facts& facts) {
    if (facts.at_server > 0) origin_.get().reset_peak();
}

// Counted by the server, which knows nothing of the model.
void sampler::check_peak_at_origin(const cell_facts& facts) {
    if (facts.at_server == 0) return;
    const std::optional<origin_stats> told = origin_.get().stats();
    if (told && told->peak_in_flight > facts.at_server)
        throw wrong_result("the server saw " + std::to_string(told->peak_in_flight) +
                           " requests in flight, allowed are " + std::to_string(facts.at_server));
}

std::chrono::nanoseconds sampler::checked(cell& c) {
    if (!passed_.contains(&c)) check_pass(c);
    return passed_.at(&c);
}

void sampler::before_pass(cell& c) {
    if (!c.facts().before_pass) return;
    const auto begin = steady_clock::now();
    const usage before = own_usage();
    c.before_pass();
    used_aside_ = used_aside_ + (own_usage() - before);
    aside_ += steady_clock::now() - begin;
}

void sampler::run_passes(cell& c, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
        before_pass(c);
        c.pass();
    }
}

sample sampler::take(cell& c, std::uint64_t iterations, const std::function<void()>& timed,
                     std::uint64_t untimed) {
    opened here(c, around(c));
    if (!passed_.contains(&c) && !c.facts().fresh_process) check_opened(c);
    run_passes(c, untimed);
    c.clear();

    sample s;
    s.iterations = iterations;
    std::vector<int> workers = model_.worker_ids();
    std::optional<std::uint64_t> origin_before;
    if (c.facts().needs_origin) origin_before = origin_.get().cpu_ns();
    std::optional<std::uint64_t> load_before;
    if (c.facts().needs_load) load_before = load_.cpu_ns();
    begin_peak_at_origin(c.facts());
    forget_peaks(workers);
    aside_ = std::chrono::nanoseconds(0);
    used_aside_ = usage();
    usage before = own_usage() + model_.workers_used();
    auto begin = steady_clock::now();
    timed();
    auto end = steady_clock::now();
    s.used = own_usage() + model_.workers_used() - before - used_aside_;

    footprint memory = above(before_.memory, memory_of(workers), 1 + workers.size());
    s.peak_rss_bytes = memory.peak_rss;
    s.pss_bytes = memory.pss;
    if (origin_before)
        if (auto now = origin_.get().cpu_ns()) s.origin_cpu_ns = *now - *origin_before;
    if (load_before) s.load_cpu_ns = load_.cpu_ns() - *load_before;
    check_peak_at_origin(c.facts());
    s.start_ns = nanoseconds(begin.time_since_epoch());
    s.wall_ns = nanoseconds(end - begin - aside_);
    s.latency = c.measured_latencies();
    s.checksum = c.check(iterations);
    s.notes = c.notes();
    return s;
}

sample sampler::take(cell& c, std::uint64_t iterations, std::uint64_t untimed) {
    const auto timed = [&] { run_passes(c, iterations); };
    return take(c, iterations, timed, untimed);
}

}  // namespace crossover::bench
