// What the benches print is JSON for nlohmann's parser too, which refuses NaN and Infinity.
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace {

std::string output_of(const std::string& command) {
    std::string text;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (!pipe) return text;
    char part[4096];
    while (std::size_t n = std::fread(part, 1, sizeof part, pipe)) text.append(part, n);
    ::pclose(pipe);
    return text;
}

TEST(json, of_google_benchmark_is_read_by_nlohmann) {
    // Repetitions, because statistics of counters that are always 0 have no coefficient of variation.
    auto document = nlohmann::json::parse(
        output_of(BENCH_SERIAL " --benchmark_filter=^fib/model:serial/n:12/ --benchmark_min_time=0.001"
                               " --benchmark_repetitions=3 --benchmark_format=json"));
    EXPECT_EQ(document["context"]["model"], "serial");
    EXPECT_EQ(document["benchmarks"].size(), 7U);
}

TEST(json, of_the_protocol_is_read_by_nlohmann) {
    auto hello = nlohmann::json::parse(output_of(BENCH_SERIAL " --serve < /dev/null"));
    EXPECT_EQ(hello["model"], "serial");
    EXPECT_FALSE(hello["cells"].empty());
}

}  // namespace
