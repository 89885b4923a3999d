// loop_bench: what the event loop's own operations cost, beside other libraries in the same run.
#include <sys/resource.h>

#include <cstdio>
#include <cstring>
#include <string_view>

#include "bench/loop_bench/fresh_process.hpp"
#include "bench/loop_bench/ratios.hpp"
#include "bench/loop_bench/rows.hpp"

namespace {

using namespace crossover::loop_bench;

void print(const sleepers_cost& c) {
    std::printf("%llu %llu %lld\n", static_cast<unsigned long long>(c.tasks),
                static_cast<unsigned long long>(c.resident_bytes), static_cast<long long>(c.cpu.count()));
}

int perform(std::string_view task) {
    if (task == "serve_hand_written") serve_by_hand();
    if (task == "serve_event_loop") serve_by_event_loop(false);
    if (task == "serve_event_loop_uring") serve_by_event_loop(true);
    if (task == "serve_asio") serve_by_asio();
    if (task == "sleepers_event_loop") return print(event_loop_sleepers(1'000'000)), 0;
    if (task == "sleepers_asio") return print(asio_sleepers(1'000'000)), 0;
    // A stack takes two mappings, of which a process has 65,530.
    if (task == "sleepers_boost_fiber") return print(fiber_sleepers(10'000)), 0;
    std::fprintf(stderr, "loop_bench: unknown child task\n");
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
    constexpr std::string_view child = "--child=";
    if (argc == 2 && std::string_view(argv[1]).starts_with(child))
        return perform(std::string_view(argv[1]).substr(child.size()));

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    add_event_loop_rows();
    add_asio_rows();
    add_fiber_rows();
#ifdef LOOP_BENCH_LIBUV
    add_libuv_rows();
#else
    std::printf("left out: libuv (install libuv1-dev and build again)\n");
#endif
    add_cpython_rows();
    add_echo_rows();
    ratio_reporter reporter;
    if (benchmark::RunSpecifiedBenchmarks(&reporter) == 0) return 6;
    return reporter.failed() ? 4 : 0;
}
