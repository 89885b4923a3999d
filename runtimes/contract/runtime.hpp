// The contract: what a concurrency model offers to the suite, and what a workload may ask of it. Read this
// file first.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/contract/extents.hpp"
#include "runtimes/contract/policy.hpp"
#include "runtimes/system/endpoint.hpp"
#include "runtimes/system/errors.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover {

// One unit of scheduling: called with the context of the worker that runs it, the batch it belongs to and its
// index. A function pointer and a pointer to shared data, not a closure: it means the same in a forked
// worker.
template <class Context>
using job = typename Context::task (*)(Context&, const void* batch, std::size_t index);

// What a runtime is made from.
struct options {
    std::size_t cores;        // how many cores the model may use: at least 1
    arena* memory;            // outlives the runtime; reserved before any worker is forked
    std::size_t workers = 0;  // of a pool that is wider than the cores; 0: as many as it has by itself
};

// What a model holds, printed with every result, so that nobody wins by a bigger pool unseen.
struct resource_use {
    std::size_t threads = 1;      // in all processes together, the caller's included
    std::size_t processes = 1;    // the caller's included
    std::size_t stack_bytes = 0;  // of one waiting item, as reserved; 0: items have no stack of their own
    std::size_t executor_threads = 0;  // besides; they start with the first calls that are offloaded
};

// Whose work a model is, so that no model is compared with an implementation of another kind unseen.
enum class engineering {
    textbook,  // what tutorials and standard libraries mean by the word
    best,      // what an expert of the model would ship
    library,   // somebody else's library, used as its users do
};

constexpr std::string_view name_of(engineering e) {
    constexpr std::array<std::string_view, 3> names{"textbook", "best", "library"};
    return names[static_cast<std::size_t>(e)];
}

// --- Verbs of a context ---

// Each returns something that a job co_awaits. In a blocking model the verb itself blocks and what it returns
// never suspends. Every verb is a point of cancellation: it throws `cancelled` once the item's batch has been
// stopped.

enum class verb { sleep, connect, fork, limit, queue, yield, offload, read };

inline constexpr std::array<verb, 8> all_verbs{verb::sleep, verb::connect, verb::fork,    verb::limit,
                                               verb::queue, verb::yield,   verb::offload, verb::read};

constexpr std::string_view name_of(verb v) {
    constexpr std::array<std::string_view, 8> names{"can_sleep", "can_connect", "can_fork",    "can_limit",
                                                    "can_queue", "can_yield",   "can_offload", "can_read"};
    return names[static_cast<std::size_t>(v)];
}

// sleep_for(ns) → void: never returns early.
template <class C>
concept can_sleep = requires(C& ctx) {
    ctx.sleep_for(std::chrono::nanoseconds{});
};

// connect(endpoint, deadline) → stream, owned by the item and used by it alone.
//   stream.read_some(ctx, bytes, deadline) → std::size_t, 0 at the end
//   stream.write_all(ctx, bytes, deadline) → void
//   stream.close(), which aborts with linger 0 when the peer has not closed first: benchmarks reuse ports
//   fast
// Errors: std::system_error from the system, timed_out when the deadline passes.
template <class C>
concept can_connect = requires(C& ctx, typename C::stream& s, endpoint to, time_point deadline,
                               std::span<std::byte> in, std::span<const std::byte> out) {
    ctx.connect(to, deadline);
    s.read_some(ctx, in, deadline);
    s.write_all(ctx, out, deadline);
    s.close();
    requires std::movable<typename C::stream>;
};

// run(n, job, batch, policy) → void: a nested batch, with the rules of runtime::run. It ends before the item
// that awaits it; stopping the outer batch stops it too.
template <class C>
concept can_fork = requires(C& ctx, job<C> j, const void* batch) {
    ctx.run(std::size_t{}, j, batch, policy{});
};

// semaphore(permits); acquire(ctx) → permit, which gives itself back when destroyed. semaphore::order says
// whether it is FIFO.
template <class C>
concept can_limit = requires(C& ctx, typename C::semaphore& s) {
    requires std::constructible_from<typename C::semaphore, std::size_t>;
    { C::semaphore::order } -> std::convertible_to<discipline>;
    s.acquire(ctx);
};

// channel<T>(arena, capacity): bounded, many producers and consumers, T trivially copyable. push(ctx, v) →
// bool, false once closed; pop(ctx) → optional<T>, empty once closed and drained; close() wakes everybody.
// channel::order says whether those that wait to push or pop are served first come, first served; the
// elements always are.
template <class C>
concept can_queue = requires(C& ctx, typename C::template channel<std::uint64_t>& c, arena& memory) {
    requires std::constructible_from<typename C::template channel<std::uint64_t>, arena&, std::size_t>;
    { C::template channel<std::uint64_t>::order } -> std::convertible_to<discipline>;
    c.push(ctx, std::uint64_t{});
    c.pop(ctx);
    c.close();
};

// yield() → void: lets what is ready run first.
template <class C>
concept can_yield = requires(C& ctx) {
    ctx.yield();
};

// offload(function, argument) → void: runs a blocking call or heavy work away from the threads that serve the
// items, which go on with other items meanwhile; so a model whose items hold their thread while they wait has
// no use for it. The argument lies in the arena, because the executor may be a process. What the function
// throws comes out, from a process as text. A call that has begun is waited for even if the batch is stopped;
// one that has not is not made then.
template <class C>
concept can_offload = requires(C& ctx, void (*function)(void*), void* argument) {
    ctx.offload(function, argument);
};

// read_file(path, bytes) → std::size_t: the first bytes of a file.
template <class C>
concept can_read = requires(C& ctx, const char* path, std::span<std::byte> bytes) {
    ctx.read_file(path, bytes);
};

template <class C>
constexpr bool has(verb v) {
    switch (v) {
        case verb::sleep:
            return can_sleep<C>;
        case verb::connect:
            return can_connect<C>;
        case verb::fork:
            return can_fork<C>;
        case verb::limit:
            return can_limit<C>;
        case verb::queue:
            return can_queue<C>;
        case verb::yield:
            return can_yield<C>;
        case verb::offload:
            return can_offload<C>;
        case verb::read:
            return can_read<C>;
    }
    return false;
}

// --- The context and the runtime ---

// What a job is called with. `task` is what a job returns: default-constructed it is already done, so that a
// plain function is a job too; a job that awaits is a coroutine of that type. async<T> is the coroutine type
// of helpers.
template <class C>
concept context = requires {
    requires std::default_initializable<typename C::task>;
    requires std::same_as<typename C::task, typename C::template async<void>>;
};

// A concurrency model.
//   name, family     as in the results; serial, event_loop, threads, processes, fibers, tbb or peer
//   engineered       whose work it is: textbook, best or library
//   variant_of       if there: the model of the same size of which it is another implementation
//   missing_reason(v)
//                    the one-line reason for each verb that it lacks, empty for those that it has
//   back_end         the kernel object that its waits go through, which the check pass checks: "eventpoll",
//                    "io_uring", ""
//   guaranteed_concurrency()
//                    how many items are guaranteed to make progress together
//   concurrency_limit()
//                    if there: what sets that
//   run(n, job, batch, policy)
//                    job(ctx, batch, i) for each i in [0, n), each one scheduled task, at most
//                    policy.in_flight of them alive. Called from the thread that made the runtime, one run at
//                    a time; returns when all have ended or were never started because the batch was stopped.
//                    Throws item_error (the first failure, after the rest has ended as policy.stop says),
//                    worker_died, or timed_out. Afterwards the runtime can run the next batch.
template <class R>
concept runtime = requires(R r, const R& cr, job<typename R::context> j, const void* batch, std::size_t n,
                           policy p, verb v) {
    requires std::constructible_from<R, const options&>;
    requires context<typename R::context>;
    { R::name } -> std::convertible_to<std::string_view>;
    { R::family } -> std::convertible_to<std::string_view>;
    { R::engineered } -> std::convertible_to<engineering>;
    { R::back_end } -> std::convertible_to<std::string_view>;
    { R::missing_reason(v) } -> std::same_as<std::string_view>;
    { cr.guaranteed_concurrency() } -> std::same_as<std::size_t>;
    { cr.resources() } -> std::same_as<resource_use>;
    { r.run(n, j, batch, p) } -> std::same_as<void>;
};

// A runtime with processes of its own: what they have used up to the end of the last run (each worker writes
// its own getrusage when it finishes its share of a batch), and their ids.
template <class R>
concept has_workers = requires(const R& r) {
    { r.workers_used() } -> std::same_as<usage>;
    { r.worker_ids() } -> std::convertible_to<std::span<const int>>;
};

// A runtime whose workers have no memory in common with its caller, who therefore says what a batch consists
// of. It is copied to where it lies in the caller, so that pointers in it stay good, and what comes out is
// copied back; whatever else an item finds or leaves in the arena of the options is its worker's own. (A run
// that is told of no extents copies nothing: its items may still write to memory that was shared before the
// runtime was made.)
template <class R>
concept copies_batches = requires(R r, job<typename R::context> j, const void* batch, std::size_t n, policy p,
                                  const extents& of_batch) {
    { r.run(n, j, batch, p, of_batch) } -> std::same_as<void>;
};

// Every verb is either there or has its reason.
template <class R>
constexpr bool verbs_are_explained() {
    for (verb v : all_verbs)
        if (has<typename R::context>(v) != R::missing_reason(v).empty()) return false;
    return true;
}

}  // namespace crossover
