// The rows of Boost.Fiber, on one thread.
#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <memory>
#include <vector>

#include "bench/loop_bench/fresh_process.hpp"
#include "bench/loop_bench/rows.hpp"

namespace crossover::loop_bench {
namespace {

namespace fibers = boost::fibers;
using benchmark::State;

constexpr int batch = 10'000;

// Stacks are pooled and no larger than these bodies need.
fibers::pooled_fixedsize_stack& stacks() {
    static fibers::pooled_fixedsize_stack pool(16 * 1024);
    return pool;
}

template <class F>
fibers::fiber start(F f) {
    return fibers::fiber(fibers::launch::post, std::allocator_arg, stacks(), std::move(f));
}

void hop(State& s, std::size_t places) {
    while (s.KeepRunningBatch(batch)) {
        fibers::buffered_channel<int> channel(places + 1);  // one of its places stays empty
        fibers::fiber producer = start([&channel] {
            for (int i = 0; i < batch; ++i) channel.push(i);
            channel.close();
        });
        int sum = 0;
        for (int value = 0; channel.pop(value) == fibers::channel_op_status::success;) sum += value;
        benchmark::DoNotOptimize(sum);
        producer.join();
    }
}

void give_way(State& s, int tasks) {
    while (s.KeepRunningBatch(batch)) {
        std::vector<fibers::fiber> all;
        for (int i = 0; i < tasks; ++i)
            all.push_back(start([tasks] {
                for (int k = 0; k < batch / tasks; ++k) boost::this_fiber::yield();
            }));
        for (fibers::fiber& f : all) f.join();
    }
}

void skynet(std::int64_t first, std::int64_t size, std::int64_t* sum) {
    if (size == 1) {
        *sum = first;
        return;
    }
    std::int64_t sums[10];
    fibers::fiber parts[10];
    for (int i = 0; i < 10; ++i)
        // Entered at once, so that the tree is walked depth first and few stacks are alive.
        parts[i] = fibers::fiber(fibers::launch::dispatch, std::allocator_arg, stacks(), &skynet,
                                 first + i * (size / 10), size / 10, &sums[i]);
    *sum = 0;
    for (int i = 0; i < 10; ++i) {
        parts[i].join();
        *sum += sums[i];
    }
}

}  // namespace

sleepers_cost fiber_sleepers(std::uint64_t n) {
    sleepers_cost cost;
    cost.tasks = n;
    const auto cpu = own_cpu_time();
    const std::uint64_t before = own_resident_bytes();
    std::vector<fibers::fiber> all;
    for (std::uint64_t i = 0; i < n; ++i)
        all.push_back(start([] { boost::this_fiber::sleep_for(std::chrono::seconds(3)); }));
    boost::this_fiber::yield();
    cost.resident_bytes = own_resident_bytes() - before;
    for (fibers::fiber& f : all) f.join();
    cost.cpu = own_cpu_time() - cpu;
    return cost;
}

void add_fiber_rows() {
    add_row("create_task_await", "boost_fiber", [](State& s) {
        int sum = 0;
        for (auto _ : s) start([&sum] { ++sum; }).join();
        benchmark::DoNotOptimize(sum);
    });
    add_row("sleep_0/tasks:1", "boost_fiber", [](State& s) { give_way(s, 1); });
    add_row("sleep_0/tasks:100", "boost_fiber", [](State& s) { give_way(s, 100); });
    add_row("queue_hop/places:1", "boost_fiber", [](State& s) { hop(s, 1); });
    add_row("queue_hop/places:127", "boost_fiber", [](State& s) { hop(s, 127); });
    add_row("lock_release", "boost_fiber", [](State& s) {
        fibers::mutex m;
        for (auto _ : s) {
            m.lock();
            m.unlock();
        }
    });
    add_row("gather_child", "boost_fiber", [](State& s) {
        constexpr int children = 100;
        while (s.KeepRunningBatch(children)) {
            int results[children];
            std::vector<fibers::fiber> all;
            all.reserve(children);
            for (int i = 0; i < children; ++i) all.push_back(start([&results, i] { results[i] = 1; }));
            for (fibers::fiber& f : all) f.join();
            benchmark::DoNotOptimize(results);
        }
    });
    add_row("skynet_task", "boost_fiber", [](State& s) {
        constexpr std::int64_t leaves = 10'000;  // a million stacks would fill the memory
        while (s.KeepRunningBatch(11'111)) {
            std::int64_t sum = 0;
            skynet(0, leaves, &sum);
            if (sum != leaves * (leaves - 1) / 2) s.SkipWithError("skynet: wrong sum");
        }
    });
}

}  // namespace crossover::loop_bench
