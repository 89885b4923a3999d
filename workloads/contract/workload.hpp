// What a workload is made of: a struct of static members, which the suite (bench/cell/cell_of.hpp) runs on
// every runtime.
//
// Every workload:
//   name, question, kind, unit   its name, what it asks, its class, what it counts
//   decides          its deciding metric
//   bound            in words: the least time that the params and the machine allow; begins with "none" where
//                    there is none
//   params           an aggregate of std::uint64_t
//   fields           the names of its members, and what they may be (workloads/contract/params.hpp)
//   sizes            the sets of params, and the lists that they stand in
//   needs            the verbs that its items use
//   needs_origin     true when they fetch from the HTTP origin
//   needs_load       true when they serve the load generator
//   least_ns(p, guaranteed_concurrency)
//                    the least wall time with so many items making progress together; 0: the params do not
//                    tell
//   least_work(p, cores)
//                    optional, where least_ns does not know all and serial cannot tell: does, without a
//                    model, what one of so many cores has to do at least (workloads/support/lower_bound.hpp).
//                    Timed in the check pass, it is the bound or, if least_ns is longer, no more than that
//
// One of three shapes:
//   computing        items(p)
//                    item(p, i, out): a plain function
//   waiting          items(p)
//                    template <verbs C> item(C&, const params&, shared<C>&, i, out) → C::task, a coroutine
//                    shared<C>(environment, params): built before each run, released after it
//   tree             root(p), max_children
//                    split(p, node, children, leaf) → count; 0: `leaf` holds the result
//                    join(p, node, parts)
//
// For its outputs, one per item (a tree: one), trivially copyable:
//   verify(p, outputs)
//                    → what is wrong, empty when all is right; shares no code with the item. Throws timed_out
//                    when a deadline came before the work was done, on a loaded machine, and nothing else is
//                    wrong
//
// Optional:
//   prepared(environment, params)
//                    built in the arena before any run, untimed; items get it after the params (a tree's root
//                    does, and shared<C> as a third argument). It may have
//                      forget(), measured() → latencies of all passes since forget(): it measures latencies
//                      before_pass(): called before each pass, in this process, and not measured
//                      notes(): see below
//   inputs(p, prepared)
//                    what items read of what was prepared, as extents. Models whose workers get a copy of
//                    everything need it. (They copy params and outputs by themselves; a shared<C> must be
//                    trivially copyable then)
//   from_caller(runtime, p, shared, out)
//                    of an item that starts tasks: the same from outside, for a model that needs it
//   verify(p, prepared, outputs)
//                    instead of verify(p, outputs), where what was prepared is needed to judge
//   arrival_rate     the param (&params::...) that says how fast the work comes; another may be asked for
//                    with a sample; 0: as fast as it is done
//   at_server(p)     how many requests the origin may see in flight, at most
//   fresh_process    true when a sample needs a process in which nothing ran before: memory
//   limits(p)        → policy: how many items may be alive
//   wrong(p)         what is wrong with params that are each what they may be, empty when nothing is
//   units(p), scheduled(p)
//                    the tasks that a model schedules for it; when they are not its items
//   alive_together(p)
//                    how many items must be alive together for it to end at all
//   total(p, outputs)
//                    the sum of the outputs, where a single one depends on who was faster; models are
//                    compared by it
//   notes(p, outputs)
//                    or of what is prepared → range of note: what else an iteration shows (items wasted,
//                    calls cut), stored with the sample
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtimes/contract/runtime.hpp"
#include "workloads/contract/params.hpp"
#include "workloads/servers/load/latency_buckets.hpp"
#include "workloads/servers/origin/external_reply.hpp"

namespace crossover {

enum class work_class { io, cpu, coordination, mixed, lessons, memory };
enum class metric { time, cpu, latency, memory };

constexpr std::string_view name_of(work_class c) {
    constexpr std::array<std::string_view, 6> names{"io",    "cpu",     "coordination",
                                                    "mixed", "lessons", "memory"};
    return names[static_cast<std::size_t>(c)];
}

constexpr std::string_view name_of(metric m) {
    constexpr std::array<std::string_view, 4> names{"time", "cpu", "latency", "memory"};
    return names[static_cast<std::size_t>(m)];
}

// Thrown when something is prepared: this cell cannot run in these surroundings. The text says why, in one
// line.
class not_supported : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// What a workload may use of its surroundings.
struct environment {
    arena& memory;
    std::optional<endpoint> origin = {};          // the HTTP server; set for workloads that need_origin
    std::optional<external_reply> external = {};  // set when that server is not our origin
    std::optional<endpoint> load = {};            // the load generator; set for workloads that need_load
    // Where the suite counts what items did: memory that all workers see, also where a model copies to them
    // what is in `memory`; null: the same.
    arena* instruments = nullptr;
};

// shared<C> of items that share nothing.
struct nothing_shared {
    template <class Params>
    nothing_shared(const environment&, const Params&) {}
};

// In nanoseconds: the least time of so many waits of `each_us`, of which `together` pass at once.
constexpr std::uint64_t waits_in_turn(std::uint64_t waits, std::uint64_t together, std::uint64_t each_us) {
    return (waits / together + (waits % together != 0)) * each_us * 1000;
}

// A number that a sample carries beside its measurements.
struct note {
    std::string_view name;
    std::uint64_t value;
};

// The lists in which a size stands. Every size is in the exhaustive one; the first of a workload is the one
// its contract test runs.
enum lists : unsigned { exhaustive = 0, full = 1, quick = 3 };  // what is quick is also in full

template <class Params>
struct size {
    Params params;
    lists in;
};

template <class W>
using params_of = typename W::params;

template <class W>
concept has_prepared = requires {
    typename W::prepared;
};

template <class W>
struct prepared_of {
    using type = struct {};
};
template <has_prepared W>
struct prepared_of<W> {
    using type = typename W::prepared;
};

template <class W>
concept computing = requires(const params_of<W>& p, typename prepared_of<W>::type& made,
                             typename W::output& out) {
    requires requires { W::item(p, std::size_t{}, out); } || requires {
        W::item(p, made, std::size_t{}, out);
    };
};

template <class W>
concept tree = requires(const params_of<W>& p, const typename W::node& n,
                        std::span<typename W::node> children, std::span<const typename W::output> parts,
                        typename W::output& leaf) {
    { W::split(p, n, children, leaf) } -> std::same_as<std::size_t>;
    { W::join(p, n, parts) } -> std::same_as<typename W::output>;
};

template <class W>
concept waiting = !computing<W> && !tree<W>;

// Whether a waiting workload can be written on this context at all: its constraint holds.
template <class W, class C>
concept waits_on = waiting<W> && requires {
    &W::template item<C>;
};

template <class W>
constexpr bool needs_origin() {
    if constexpr (requires { W::needs_origin; })
        return W::needs_origin;
    else
        return false;
}

template <class W>
constexpr bool needs_load() {
    if constexpr (requires { W::needs_load; })
        return W::needs_load;
    else
        return false;
}

// What it measures besides, outside of its outputs.
template <class W>
concept has_latencies = has_prepared<W> && requires(typename W::prepared& made) {
    made.forget();
    { made.measured() } -> std::convertible_to<latencies>;
};

// Something has to be done before each pass that is no part of it.
template <class W>
concept has_before_pass = has_prepared<W> && requires(typename W::prepared& made) {
    made.before_pass();
};

// Whoever asks for a sample chooses how fast its work comes.
template <class W>
concept has_arrival_rate = requires(params_of<W>& p) {
    { p.*W::arrival_rate } -> std::same_as<std::uint64_t&>;
};

// Its outputs are judged by what was prepared, too.
template <class W>
concept verifies_with_prepared = has_prepared<W> &&
    requires(const params_of<W>& p, typename prepared_of<W>::type& made,
             std::span<const typename W::output> outputs) {
    W::verify(p, made, outputs);
};

template <class W>
policy limits_of(const params_of<W>& p) {
    if constexpr (requires { W::limits(p); })
        return W::limits(p);
    else
        return policy{};
}

// It says what its items read of what was prepared.
template <class W>
concept tells_inputs = has_prepared<W> &&
    requires(const params_of<W>& p, const typename prepared_of<W>::type& made) {
    W::inputs(p, made);
};

// All that its items read is known, so that they can work on copies.
template <class W>
constexpr bool is_described() {
    if constexpr (tells_inputs<W> || (computing<W> && !has_prepared<W>))
        return true;
    else if constexpr (waiting<W> && !has_prepared<W>)
        return std::is_same_v<typename W::template shared<void>, nothing_shared>;
    else
        return false;
}

// The same work can be done from outside, by a caller that starts the tasks itself.
template <class W, class R>
concept can_be_started_from_caller = waiting<W> && requires {
    &W::template from_caller<R>;
};

template <class W>
concept has_total = requires(const params_of<W>& p, std::span<const typename W::output> outputs) {
    W::total(p, outputs);
};

// Every verb that the workload asks for is there.
template <class W, class C>
constexpr bool has_needs() {
    for (verb v : W::needs)
        if (!has<C>(v)) return false;
    return true;
}

// How many items must be alive together for the workload to end at all.
template <class W>
std::size_t alive_together(const params_of<W>& p) {
    if constexpr (requires { W::alive_together(p); })
        return W::alive_together(p);
    else
        return 1;
}

template <class W>
std::uint64_t units_of(const params_of<W>& p) {
    if constexpr (requires { W::units(p); })
        return W::units(p);
    else
        return W::items(p);
}

// How often the suite calls into the workload: once per item, or once per node.
template <class W>
std::uint64_t executions_of(const params_of<W>& p) {
    if constexpr (tree<W>)
        return units_of<W>(p);
    else
        return W::items(p);
}

template <class W>
std::uint64_t scheduled_by(const params_of<W>& p) {
    if constexpr (requires { W::scheduled(p); })
        return W::scheduled(p);
    else
        return executions_of<W>(p);
}

template <class... W>
struct workload_list {
    static constexpr std::size_t size = sizeof...(W);
};

// "tasks:100/delay_us:5000"
template <class W>
std::string params_text(const params_of<W>& p) {
    std::string text;
    for (const auto& f : W::fields) {
        if (!text.empty()) text += '/';
        text += std::string(f.name) + ':' + std::to_string(p.*f.value);
    }
    return text;
}

}  // namespace crossover
