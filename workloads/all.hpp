// The list of workloads. A new one is one header, which has its name, and one word here.
#pragma once

#include "workloads/coordination/contended_counter.hpp"
#include "workloads/coordination/ping_pong.hpp"
#include "workloads/coordination/producer_consumer.hpp"
#include "workloads/coordination/spawn.hpp"
#include "workloads/coordination/yield.hpp"
#include "workloads/cpu/fib.hpp"
#include "workloads/cpu/granularity.hpp"
#include "workloads/cpu/mandelbrot.hpp"
#include "workloads/cpu/matmul.hpp"
#include "workloads/cpu/merge_sort.hpp"
#include "workloads/cpu/nqueens.hpp"
#include "workloads/cpu/skynet.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/crawl.hpp"
#include "workloads/io/echo.hpp"
#include "workloads/io/echo_at_rate.hpp"
#include "workloads/io/fetch.hpp"
#include "workloads/io/fetch_connect.hpp"
#include "workloads/io/read_files.hpp"
#include "workloads/io/read_files_cold.hpp"
#include "workloads/io/sleepers.hpp"
#include "workloads/lessons/blocking_call.hpp"
#include "workloads/lessons/blocking_call_offloaded.hpp"
#include "workloads/lessons/blocking_in_loop.hpp"
#include "workloads/lessons/fail_fast.hpp"
#include "workloads/lessons/first_result.hpp"
#include "workloads/lessons/race.hpp"
#include "workloads/lessons/sequential_await.hpp"
#include "workloads/lessons/timeouts.hpp"
#include "workloads/memory/idle_tasks.hpp"
#include "workloads/mixed/mixed.hpp"
#include "workloads/mixed/responsiveness.hpp"
#include "workloads/mixed/responsiveness_offloaded.hpp"

namespace crossover {

using all_workloads =
    workload_list<sleepers, fetch, fetch_connect, crawl, echo, echo_at_rate, read_files, read_files_cold,
                  sum_squares, mandelbrot, matmul, granularity, fib, skynet, nqueens, merge_sort, spawn,
                  yield, ping_pong, producer_consumer, contended_counter, mixed, responsiveness,
                  responsiveness_offloaded, sequential_await, blocking_in_loop, blocking_call,
                  blocking_call_offloaded, race, first_result, fail_fast, timeouts, idle_tasks>;

}  // namespace crossover
