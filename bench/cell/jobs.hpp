// What a runtime runs for a cell, timed or counted: jobs, each of which calls an item of the workload or a
// node of its tree, and the batch that they see. It lies in the arena.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "bench/cell/account.hpp"
#include "runtimes/contract/runtime.hpp"
#include "workloads/contract/workload.hpp"

namespace crossover::bench {

// What each of a pass's items adds to its slot: 1 in the lower half, and in the upper one a number of this
// pass alone, so that an item which one pass left out and another ran twice does not come to the right sum.
constexpr std::uint64_t mark_of_pass(std::uint64_t number) {
    std::uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 32)) * 0xbf58476d1ce4e5b9;
    return (mixed << 32) | 1;
}
constexpr std::uint64_t runs_in(std::uint64_t marks) { return marks & 0xffff'ffff; }

// An item's output and the marks of the passes in which its job was called. Written by the item's worker
// alone.
template <class Output>
struct slot {
    Output value;
    std::uint64_t marks;
};

template <class W>
struct batch_of {
    typename W::params params;
    typename prepared_of<W>::type* prepared;
    void*
        shared;  // of a waiting workload: what it builds before each run, of a type that the context decides
    slot<typename W::output>* slots;
    std::uint64_t mark;  // of this pass
    ledger* book;        // of the check pass
};

// The children of one node: what they are, and what they came to. Beside each value stands how many nodes are
// under it: the units that were really run.
template <class W>
struct level {
    const typename W::params* params;
    const typename W::node* nodes;
    typename W::output* values;
    std::uint64_t* units;
    ledger* book;  // null in timed passes

    void leaf(std::size_t i) const {
        units[i] = 1;
        note_end();
    }

    // Node i has `count` children, which are done.
    void join(std::size_t i, const level& below, std::size_t count) const {
        values[i] = W::join(*params, nodes[i], std::span<const typename W::output>(below.values, count));
        units[i] = std::accumulate(below.units, below.units + count, std::uint64_t{1});
        note_end();
    }

  private:
    void note_end() const {
        if (book) [[unlikely]]
            book->count();
    }
};

namespace jobs {

template <class W, class C>
auto& shared_in(const batch_of<W>& batch) {
    return *static_cast<typename W::template shared<C>*>(batch.shared);
}

template <class W>
void compute(const batch_of<W>& batch, std::size_t i) {
    if constexpr (has_prepared<W>)
        W::item(batch.params, *batch.prepared, i, batch.slots[i].value);
    else
        W::item(batch.params, i, batch.slots[i].value);
}

// The timed jobs do nothing but count themselves and call the item.
template <class W, class C>
typename C::task timed(C& ctx, const void* opaque, std::size_t i) {
    auto& batch = *static_cast<const batch_of<W>*>(opaque);
    batch.slots[i].marks += batch.mark;
    if constexpr (computing<W>) {
        compute(batch, i);
        return {};
    } else {
        return W::item(ctx, batch.params, shared_in<W, C>(batch), i, batch.slots[i].value);
    }
}

// Counts the end of an item, also when it leaves by an exception.
class counted {
  public:
    counted(ledger& book, std::size_t i) : book_(book) { book_.begin(i); }
    ~counted() { book_.end(); }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;

  private:
    ledger& book_;
};

template <class W, class C>
typename C::task counted_computing(C&, const void* opaque, std::size_t i) {
    auto& batch = *static_cast<const batch_of<W>*>(opaque);
    counted here(*batch.book, i);
    batch.slots[i].marks += batch.mark;
    compute(batch, i);
    return {};
}

template <class W, class C>
typename C::task counted_waiting(C& ctx, const void* opaque, std::size_t i) {
    auto& batch = *static_cast<const batch_of<W>*>(opaque);
    counted here(*batch.book, i);
    batch.slots[i].marks += batch.mark;
    co_await W::item(ctx, batch.params, shared_in<W, C>(batch), i, batch.slots[i].value);
}

template <class C>
concept forks_without_suspending = requires(C& ctx, job<C> j) {
    requires decltype(ctx.run(std::size_t{}, j, nullptr, policy{}))::never_suspends;
};

template <class W, class C>
typename C::task blocking_node(C& ctx, const void* opaque, std::size_t i);

// Apart, so that a leaf, as most nodes are, does not save the registers that this needs.
template <class W, class C>
[[gnu::noinline]] void blocking_children(C& ctx, const level<W>& above, std::size_t i,
                                         const typename W::node* nodes, std::size_t count) {
    typename W::output values[W::max_children];
    std::uint64_t units[W::max_children];
    level<W> below{above.params, nodes, values, units, above.book};
    ctx.run(count, &blocking_node<W, C>, &below, policy{}).await_resume();
    above.join(i, below, count);
}

// Where run() blocks, a node is a plain function call: no coroutine frame.
template <class W, class C>
typename C::task blocking_node(C& ctx, const void* opaque, std::size_t i) {
    auto& above = *static_cast<const level<W>*>(opaque);
    typename W::node nodes[W::max_children];
    const std::size_t count = W::split(*above.params, above.nodes[i], nodes, above.values[i]);
    if (count == 0)
        above.leaf(i);
    else
        blocking_children<W, C>(ctx, above, i, nodes, count);
    return {};
}

template <class W, class C>
typename C::task suspending_node(C& ctx, const void* opaque, std::size_t i);

template <class W>
using children_of = std::array<typename W::node, W::max_children>;

// The children come by value: a lazy coroutine starts when its caller's locals are gone.
template <class W, class C>
typename C::task inner_node(C& ctx, const level<W>& above, std::size_t i, std::size_t count,
                            children_of<W> nodes) {
    typename W::output values[W::max_children];
    std::uint64_t units[W::max_children];
    level<W> below{above.params, nodes.data(), values, units, above.book};
    policy rules;
    co_await ctx.run(count, &suspending_node<W, C>, &below, rules);
    above.join(i, below, count);
}

// Where run() suspends, only inner nodes get a frame; a leaf is done when its job returns.
template <class W, class C>
typename C::task suspending_node(C& ctx, const void* opaque, std::size_t i) {
    auto& above = *static_cast<const level<W>*>(opaque);
    children_of<W> nodes;
    std::size_t count = W::split(*above.params, above.nodes[i], nodes, above.values[i]);
    if (count != 0) return inner_node<W, C>(ctx, above, i, count, nodes);
    above.leaf(i);
    return {};
}

template <class W, class C>
constexpr job<C> tree_node() {
    if constexpr (forks_without_suspending<C>)
        return &blocking_node<W, C>;
    else
        return &suspending_node<W, C>;
}

}  // namespace jobs

}  // namespace crossover::bench
