// The list of workloads. A new one is one header and one word here.
#pragma once

#include "workloads/blocking_call.hpp"
#include "workloads/blocking_in_loop.hpp"
#include "workloads/contended_counter.hpp"
#include "workloads/crawl.hpp"
#include "workloads/echo.hpp"
#include "workloads/echo_at_rate.hpp"
#include "workloads/fail_fast.hpp"
#include "workloads/fetch.hpp"
#include "workloads/fetch_connect.hpp"
#include "workloads/fib.hpp"
#include "workloads/first_result.hpp"
#include "workloads/granularity.hpp"
#include "workloads/idle_tasks.hpp"
#include "workloads/mandelbrot.hpp"
#include "workloads/matmul.hpp"
#include "workloads/merge_sort.hpp"
#include "workloads/mixed.hpp"
#include "workloads/nqueens.hpp"
#include "workloads/ping_pong.hpp"
#include "workloads/producer_consumer.hpp"
#include "workloads/race.hpp"
#include "workloads/read_files.hpp"
#include "workloads/read_files_cold.hpp"
#include "workloads/responsiveness.hpp"
#include "workloads/responsiveness_offloaded.hpp"
#include "workloads/sequential_await.hpp"
#include "workloads/skynet.hpp"
#include "workloads/sleepers.hpp"
#include "workloads/spawn.hpp"
#include "workloads/sum_squares.hpp"
#include "workloads/timeouts.hpp"
#include "workloads/yield.hpp"

namespace crossover {

using all_workloads =
    workload_list<sleepers, fetch, fetch_connect, crawl, echo, echo_at_rate, read_files, read_files_cold,
                  sum_squares, mandelbrot, matmul, granularity, fib, skynet, nqueens, merge_sort, spawn,
                  yield, ping_pong, producer_consumer, contended_counter, mixed, responsiveness,
                  responsiveness_offloaded, sequential_await, blocking_in_loop, blocking_call,
                  blocking_call_offloaded, race, first_result, fail_fast, timeouts, idle_tasks>;

}  // namespace crossover
