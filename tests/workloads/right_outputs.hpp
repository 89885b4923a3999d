// The correct outputs of each workload at its smallest size: from a run on serial, or by hand if serial
// cannot run it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/cell/cell_of.hpp"
#include "bench/cell/model_of.hpp"
#include "bench/cell/passes.hpp"
#include "runtimes/serial.hpp"
#include "workloads/all.hpp"
#include "workloads/servers/origin/item_body.hpp"

namespace crossover {

template <class W>
using outputs_of = std::vector<typename W::output>;

template <class W>
outputs_of<W> run_serially() {
    arena memory;
    serial runtime(options{1, &memory});
    const bench::model_facts facts = bench::facts_of(runtime);
    bench::cell_list cells;
    bench::make_cells<W>(cells, facts, &runtime, bench::passes_of<serial, W>());
    auto& cell = static_cast<bench::cell_of<W>&>(*cells.front());
    cell.open({memory, std::nullopt});
    cell.check_pass();
    outputs_of<W> outputs = cell.outputs();
    cell.close();
    return outputs;
}

// Outputs as they should be, made without a runtime where serial has not the verbs or a server is needed.
template <class W>
outputs_of<W> right_outputs() {
    return run_serially<W>();
}

template <>
inline outputs_of<producer_consumer> right_outputs<producer_consumer>() {
    const producer_consumer::params p = producer_consumer::sizes[0].params;
    std::uint64_t sum = 0, exclusive_or = 0;
    for (std::uint64_t v = 0; v < p.elements; ++v) {
        sum += v;
        exclusive_or ^= v;
    }
    return {{p.elements, sum, exclusive_or}, {p.elements, sum, exclusive_or}};
}

template <>
inline outputs_of<ping_pong> right_outputs<ping_pong>() {
    const std::uint64_t rounds = ping_pong::sizes[0].params.rounds;
    return {{rounds, 2 * rounds - 1}, {rounds, 2 * rounds - 2}};
}

template <class W>
outputs_of<W> right_replies(std::size_t outputs) {
    const typename W::params p = W::sizes[0].params;
    outputs_of<W> all(outputs, fetched{0, 0, 0});
    for (std::uint64_t request = 0; request < p.requests; ++request) {
        fetched& one = all[request % outputs];
        ++one.replies;
        one.bytes += p.bytes;
        one.checksum += item_checksum(request, p.bytes);
    }
    return all;
}

template <>
inline outputs_of<fetch> right_outputs<fetch>() {
    return right_replies<fetch>(fetch::items(fetch::sizes[0].params));
}

template <>
inline outputs_of<fetch_connect> right_outputs<fetch_connect>() {
    return right_replies<fetch_connect>(fetch_connect::sizes[0].params.requests);
}

template <>
inline outputs_of<race> right_outputs<race>() {
    const race::params p = race::sizes[0].params;
    return {{p.races, {p.races * p.racers, p.races, 0, p.races * (p.racers - 1)}}};
}

template <>
inline outputs_of<first_result> right_outputs<first_result>() {
    const first_result::params p = first_result::sizes[0].params;
    return {{{p.sources, 1, p.failing, p.sources - p.failing - 1}}};
}

// Where files cannot be dropped from the page cache, too.
template <>
inline outputs_of<read_files_cold> right_outputs<read_files_cold>() {
    return run_serially<read_files>();
}

template <>
inline outputs_of<idle_tasks> right_outputs<idle_tasks>() {
    const std::uint64_t tasks = idle_tasks::sizes[0].params.tasks;
    return outputs_of<idle_tasks>(tasks, {tasks});
}

template <>
inline outputs_of<blocking_call_offloaded> right_outputs<blocking_call_offloaded>() {
    const blocking_call::params p = blocking_call::sizes[0].params;
    outputs_of<blocking_call_offloaded> all;
    for (std::uint64_t i = 0; i < p.calls; ++i) all.push_back({i, p.block_us, p.block_us});
    return all;
}

template <>
inline outputs_of<crawl> right_outputs<crawl>() {
    // 20 pages: 5 fails, 11 stalls, 14 breaks off; all are linked to, so the order is 0, 1, 2, ... but for
    // what the links across change.
    const crawl::params p = crawl::sizes[0].params;
    const page_graph graph(p.pages);
    std::vector<std::uint64_t> order{0};
    for (std::size_t i = 0; i < order.size(); ++i)
        if (order[i] % 16 != 5 && order[i] % 16 != 11 && order[i] % 16 != 14)
            for (const std::uint64_t to : graph.links(order[i]))
                if (std::ranges::find(order, to) == order.end()) order.push_back(to);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < order.size(); ++i) sum += (i + 1) * order[i];
    return {{order.size() - 3, 1, 1, 1, sum, 11}};
}

template <class W>
outputs_of<W> right_echoes() {
    const typename W::params p = W::sizes[0].params;
    outputs_of<W> all(p.connections, {0, 0});
    for (std::uint64_t k = 0; k < p.requests; ++k) {
        ++all[k % p.connections].served;
        all[k % p.connections].sum += k;
    }
    return all;
}

template <>
inline outputs_of<echo> right_outputs<echo>() {
    return right_echoes<echo>();
}

template <>
inline outputs_of<echo_at_rate> right_outputs<echo_at_rate>() {
    return right_echoes<echo_at_rate>();
}

template <class W>
outputs_of<W> right_heavy_work() {
    const typename W::params p = W::sizes[0].params;
    outputs_of<W> all{{0}};
    for (std::uint64_t i = 1; i <= p.tasks; ++i) all.push_back({kernels::lcg_steps(i, p.steps)});
    return all;
}

template <>
inline outputs_of<responsiveness> right_outputs<responsiveness>() {
    return right_heavy_work<responsiveness>();
}

template <>
inline outputs_of<responsiveness_offloaded> right_outputs<responsiveness_offloaded>() {
    return right_heavy_work<responsiveness_offloaded>();
}

struct name_of_workload {
    template <class W>
    static std::string GetName(int) {
        return std::string(W::name);
    }
};

template <class List>
struct as_types;
template <class... W>
struct as_types<workload_list<W...>> {
    using type = ::testing::Types<W...>;
};

}  // namespace crossover
