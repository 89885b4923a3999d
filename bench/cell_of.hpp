// Brings a workload onto a runtime: builds its jobs, runs its passes and checks them. Everything here is
// typed; see cell.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <type_traits>

#include "bench/cell.hpp"
#include "workloads/all.hpp"
#include "workloads/workload.hpp"

namespace crossover::bench {

// Of a waiting workload, what it builds before each run; other shapes need nothing.
template <class W, class C>
struct shared_of {
    using type = struct {};
};
template <waiting W, class C>
struct shared_of<W, C> {
    using type = typename W::template shared<C>;
};

// An item's output and how often its job was called. Written by the item's worker alone.
template <class Output>
struct slot {
    Output value;
    std::uint64_t runs;
};

// What the jobs of one cell see. Lies in the arena.
template <class W, class C>
struct batch_of {
    typename W::params params;
    typename prepared_of<W>::type* prepared;
    typename shared_of<W, C>::type* shared;
    slot<typename W::output>* slots;
    ledger* book;  // of the gate pass
};

namespace jobs {

template <class W, class C>
void compute(const batch_of<W, C>& batch, std::size_t i) {
    if constexpr (has_prepared<W>)
        W::item(batch.params, *batch.prepared, i, batch.slots[i].value);
    else
        W::item(batch.params, i, batch.slots[i].value);
}

// The timed jobs do nothing but count themselves and call the item.
template <class W, class C>
typename C::task timed(C& ctx, const void* opaque, std::size_t i) {
    auto& batch = *static_cast<const batch_of<W, C>*>(opaque);
    ++batch.slots[i].runs;
    if constexpr (computing<W>) {
        compute(batch, i);
        return {};
    } else {
        return W::item(ctx, batch.params, *batch.shared, i, batch.slots[i].value);
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
typename C::task gate_computing(C&, const void* opaque, std::size_t i) {
    auto& batch = *static_cast<const batch_of<W, C>*>(opaque);
    counted here(*batch.book, i);
    ++batch.slots[i].runs;
    compute(batch, i);
    return {};
}

template <class W, class C>
typename C::task gate_waiting(C& ctx, const void* opaque, std::size_t i) {
    auto& batch = *static_cast<const batch_of<W, C>*>(opaque);
    counted here(*batch.book, i);
    ++batch.slots[i].runs;
    co_await W::item(ctx, batch.params, *batch.shared, i, batch.slots[i].value);
}

// The children of one node: what they are, and what they came to. Beside each value stands how many nodes are
// under it: the units that were really run.
template <class W>
struct level {
    const typename W::params* params;
    const typename W::node* nodes;
    typename W::output* values;
    std::uint64_t* units;
    ledger* book;  // null in timed passes

    void leaf(std::size_t i) const { units[i] = 1; }

    // Node i has `count` children, which are done.
    void join(std::size_t i, const level& below, std::size_t count) const {
        values[i] = W::join(*params, nodes[i], std::span<const typename W::output>(below.values, count));
        units[i] = std::accumulate(below.units, below.units + count, std::uint64_t{1});
    }
};

// What a tree keeps in the arena: its root and the level above it. Other shapes keep nothing.
template <class W>
struct root_of {};
template <tree W>
struct root_of<W> {
    typename W::node* node = nullptr;
    std::uint64_t* units = nullptr;
    level<W>* top = nullptr;
};

template <class C>
concept forks_without_suspending = requires(C& ctx, job<C> j) {
    requires decltype(ctx.run(std::size_t{}, j, nullptr, policy{}))::never_suspends;
};

// Where run() blocks, a node is a plain function call: no coroutine frame.
template <class W, class C>
typename C::task blocking_node(C& ctx, const void* opaque, std::size_t i) {
    auto& above = *static_cast<const level<W>*>(opaque);
    if (above.book) above.book->count();
    typename W::node nodes[W::max_children];
    std::size_t count = W::split(*above.params, above.nodes[i], nodes, above.values[i]);
    if (count == 0) {
        above.leaf(i);
        return {};
    }
    typename W::output values[W::max_children];
    std::uint64_t units[W::max_children];
    level<W> below{above.params, nodes, values, units, above.book};
    ctx.run(count, &blocking_node<W, C>, &below, policy{}).await_resume();
    above.join(i, below, count);
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
    if (above.book) above.book->count();
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

// Adds all bytes of a value to a running checksum (FNV-1a, eight bytes at a time).
template <class Value>
std::uint64_t stirred(std::uint64_t sum, const Value& value) {
    static_assert(std::has_unique_object_representations_v<Value>,
                  "padding would make the checksum random: add members for it");
    static_assert(sizeof(Value) % 8 == 0);
    std::uint64_t words[sizeof(Value) / 8];
    std::memcpy(words, &value, sizeof value);
    for (std::uint64_t word : words) {
        sum = (sum ^ word) * 0x100000001b3;
        sum ^= sum >> 29;
    }
    return sum;
}

// Equal for all models that did the same work.
template <class W>
std::uint64_t checksum_of(const typename W::params& p, std::span<const typename W::output> outputs) {
    std::uint64_t sum = 0xcbf29ce484222325;
    if constexpr (has_total<W>)
        sum = stirred(sum, W::total(p, outputs));
    else
        for (const auto& one : outputs) sum = stirred(sum, one);
    return sum;
}

// Workload W at one size on runtime R.
template <class R, class W>
class cell_of final : public cell {
  public:
    using context = typename R::context;
    using params = typename W::params;

    cell_of(R& runtime, const size<params>& s) : runtime_(runtime), params_(s.params) {
        facts_.workload = W::name;
        facts_.question = W::question;
        facts_.kind = W::kind;
        for (const auto& f : W::fields) facts_.params.emplace_back(f.name, s.params.*f.value);
        facts_.name =
            std::string(W::name) + "/model:" + std::string(R::name) + "/" + params_text<W>(s.params);
        facts_.in = s.in;
        facts_.decides = W::decides;
        facts_.unit = W::unit;
        facts_.units = units_of<W>(params_);
        facts_.scheduled = scheduled_by<W>(params_);
        facts_.bound = W::bound;
        facts_.bound_ns = W::least_ns(params_, unlimited);
        facts_.least_ns = W::least_ns(params_, runtime.at_once());
        facts_.needs_origin = needs_origin<W>();
        facts_.needs_load = needs_load<W>();
        if constexpr (requires { W::at_server(params_); }) facts_.at_server = W::at_server(params_);
        if constexpr (requires { W::fresh_process; }) facts_.fresh_process = W::fresh_process;
        facts_.waits =
            std::ranges::any_of(W::needs, [](verb v) { return v == verb::sleep || v == verb::connect; });
        facts_.in_flight = limits_of<W>(params_).in_flight;
        facts_.unsupported = why_unsupported();
    }

    const cell_facts& facts() const override { return facts_; }

    void open(const environment& around) override {
        mark_ = around.memory.used();
        around_.emplace(around);
        try {
            make_all(around.memory);
        } catch (...) {
            close();
            throw;
        }
    }

    void close() override {
        if constexpr (has_prepared<W>)
            if (batch_ && batch_->prepared) std::destroy_at(batch_->prepared);
        batch_ = nullptr;
        slots_ = {};
        around_->memory.release(mark_);
        around_.reset();
    }

    account gate() override {
        if constexpr (supported) {
            arena::scope here(around_->memory);
            auto* book = around_->memory.template make<ledger>(around_->memory, tree<W> ? 0 : items());
            clear();
            if constexpr (tree<W>)
                run_tree(book);
            else if constexpr (computing<W>)
                run_items(&jobs::gate_computing<W, context>, book);
            else
                run_items(&jobs::gate_waiting<W, context>, book);
            account sum = book->total();
            if (std::string mistake = book->mistake(); !mistake.empty()) throw wrong_result(mistake);
            check_tasks(sum.executions, "the gate pass ran ");
            sum.checksum = verified();
            return sum;
        }
        throw std::logic_error("gate() of an unsupported cell");
    }

    void clear() override {
        std::memset(static_cast<void*>(slots_.data()), 0xff, slots_.size_bytes());
        for (auto& s : slots_) s.runs = 0;
        if constexpr (has_latencies<W>) batch_->prepared->forget();
    }

    void pass() override {
        if constexpr (!supported)
            return;
        else if constexpr (tree<W>)
            run_tree(nullptr);
        else
            run_items(&jobs::timed<W, context>, nullptr);
    }

    std::uint64_t verified() override {
        if (std::string mistake = fault(); !mistake.empty()) throw wrong_result(mistake);
        return checksum_ = outputs_checksum();
    }

    std::uint64_t check(std::uint64_t iterations) override {
        for (std::size_t i = 0; i < slots_.size(); ++i)
            if (slots_[i].runs != iterations)
                throw wrong_result("item " + std::to_string(i) + " ran " + std::to_string(slots_[i].runs) +
                                   " times in " + std::to_string(iterations) + " iterations");
        std::uint64_t sum = outputs_checksum();
        if (sum != checksum_) throw wrong_result("the outputs are not those of the gate pass");
        return sum;
    }

    std::vector<note> notes() const override {
        if constexpr (requires { W::notes(params_, std::span<const typename W::output>()); }) {
            const auto all = W::notes(params_, outputs());
            return {all.begin(), all.end()};
        } else if constexpr (requires { batch_->prepared->notes(); }) {
            return batch_->prepared->notes();
        } else {
            return {};
        }
    }

    std::optional<latencies> measured_latencies() override {
        if constexpr (has_latencies<W>)
            return batch_->prepared->measured();
        else
            return std::nullopt;
    }

    // What the items left after the last pass.
    std::vector<typename W::output> outputs() const {
        std::vector<typename W::output> all;
        all.reserve(slots_.size());
        for (const auto& s : slots_) all.push_back(s.value);
        return all;
    }

  private:
    static constexpr bool supported = computing<W> || (tree<W> && can_fork<context>) || waits_on<W, context>;
    static_assert(supported == has_needs<W, context>(), "the workload's needs are not those of its items");

    std::string fault() {
        if constexpr (verifies_with_prepared<W>)
            return W::verify(params_, *batch_->prepared, outputs());
        else
            return W::verify(params_, outputs());
    }

    std::size_t items() const {
        if constexpr (tree<W>)
            return 1;
        else
            return W::items(params_);
    }

    std::string why_unsupported() const {
        std::string why;
        for (verb v : W::needs)
            if (!has<context>(v))
                why += (why.empty() ? "needs " : "; needs ") + std::string(name_of(v)) + ": " +
                       std::string(R::why_not(v));
        if (why.empty() && alive_together<W>(params_) > runtime_.at_once())
            why = "needs " + std::to_string(alive_together<W>(params_)) + " at once, has " +
                  std::to_string(runtime_.at_once());
        return why;
    }

    // What lies in the arena is destroyed and not freed.
    struct destroyed {
        template <class T>
        void operator()(T* object) const {
            std::destroy_at(object);
        }
    };

    void make_all(arena& memory) {
        batch_ = memory.make<batch_of<W, context>>();
        batch_->params = params_;
        slots_ = memory.make_array<slot<typename W::output>>(items());
        batch_->slots = slots_.data();
        if constexpr (has_prepared<W>)
            batch_->prepared = memory.make<typename W::prepared>(*around_, params_);
        if constexpr (tree<W>) {
            root_.node = memory.make<typename W::node>(root());
            root_.units = memory.make<std::uint64_t>();
            root_.top = memory.make<jobs::level<W>>();
        }
    }

    auto root() const {
        if constexpr (has_prepared<W>)
            return W::root(params_, *batch_->prepared);
        else
            return W::root(params_);
    }

    using shared = typename shared_of<W, context>::type;

    shared* make_shared() {
        if constexpr (has_prepared<W>)
            return around_->memory.template make<shared>(*around_, params_, *batch_->prepared);
        else
            return around_->memory.template make<shared>(*around_, params_);
    }

    void run_items(job<context> each, ledger* book) {
        batch_->book = book;
        if constexpr (waiting<W>) {
            arena::scope here(around_->memory);
            std::unique_ptr<shared, destroyed> made(make_shared());
            batch_->shared = made.get();
            runtime_.run(items(), each, batch_, limits_of<W>(params_));
        } else {
            runtime_.run(items(), each, batch_, limits_of<W>(params_));
        }
    }

    void run_tree(ledger* book) {
        *root_.top = {&batch_->params, root_.node, &slots_[0].value, root_.units, book};
        *root_.units = 0;  // else a pass that does nothing would show the count of the one before
        runtime_.run(1, jobs::tree_node<W, context>(), root_.top, policy{});
        ++slots_[0].runs;
        check_tasks(*root_.units, "the tree has ");
    }

    void check_tasks(std::uint64_t seen, const char* what) const {
        if (const std::uint64_t owed = executions_of<W>(params_); seen != owed)
            throw wrong_result(what + std::to_string(seen) + " tasks, not " + std::to_string(owed));
    }

    std::uint64_t outputs_checksum() const { return checksum_of<W>(params_, outputs()); }

    R& runtime_;
    params params_;
    cell_facts facts_;
    std::optional<environment> around_;
    std::size_t mark_ = 0;
    std::uint64_t checksum_ = 0;
    batch_of<W, context>* batch_ = nullptr;
    std::span<slot<typename W::output>> slots_;
    jobs::root_of<W> root_;
};

// All cells of a runtime, in the order of the list and of each workload's sizes.
template <class R, class... W>
std::vector<std::unique_ptr<cell>> cells_of(R& runtime, workload_list<W...>) {
    std::vector<std::unique_ptr<cell>> all;
    auto add = [&]<class One>(std::type_identity<One>) {
        for (const auto& s : One::sizes) all.push_back(std::make_unique<cell_of<R, One>>(runtime, s));
    };
    (add(std::type_identity<W>{}), ...);
    return all;
}

}  // namespace crossover::bench
