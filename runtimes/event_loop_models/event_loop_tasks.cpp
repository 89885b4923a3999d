// Batches as gather() and task_group, and streams with timeouts.
#include "runtimes/event_loop_models/event_loop_tasks.hpp"

#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <vector>

#include "runtimes/contract/batch.hpp"
#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"
#include "runtimes/event_loop_models/loop_batch.hpp"
#include "runtimes/system/sockets.hpp"

namespace crossover {

using asyncio::coro;

// --- Batches ---

struct event_loop_tasks::batch {
    batch(std::size_t n, job<context> job_of_items, const void* items_data, const policy& rules,
          const context& around)
        : state(rules, around.stop()), ctx(around, state.stop()), item_job(job_of_items), data(items_data) {
        if (rules.in_flight < n) limit.emplace(static_cast<std::ptrdiff_t>(rules.in_flight));
    }

    batch_state state;
    context ctx;
    const job<context> item_job;
    const void* const data;
    std::optional<asyncio::semaphore> limit;
};

namespace {

// Thrown in a task to end its group, as asyncio's manual has it.
struct group_is_over {};

}  // namespace

coro<void> event_loop_tasks::item(batch& of, std::size_t index) {
    std::exception_ptr error;
    try {
        std::optional<asyncio::semaphore::permit> held;
        if (of.limit) held.emplace(co_await of.limit->scoped());
        if (of.state.stopped()) co_return;
        const context::task work = of.item_job(of.ctx, of.data, index);
        co_await work;
    } catch (...) {
        error = std::current_exception();
    }
    if (looped::note_item(of.state, index, error)) throw group_is_over();
}

std::vector<coro<void>> event_loop_tasks::items(batch& all, std::size_t n) {
    std::vector<coro<void>> made;
    made.reserve(n);
    for (std::size_t i = 0; i < n; ++i) made.push_back(item(all, i));
    return made;
}

coro<void> event_loop_tasks::grouped(batch& all, std::size_t n) {
    asyncio::task_group group;
    auto body = [&all, n](asyncio::task_group& g) -> coro<void> {
        for (coro<void>& one : items(all, n)) static_cast<void>(g.create_task(std::move(one)));
        co_return;
    };
    auto ended = asyncio::with(group, body);
    co_await ended;
}

coro<void> event_loop_tasks::context::run(std::size_t n, job<context> item_job, const void* data,
                                          policy rules) {
    check(stop());
    batch all(n, item_job, data, rules, *this);
    try {
        if (rules.cannot_stop()) {  // no item ends the others: item() throws nothing then
            auto ended = asyncio::gather(items(all, n));
            co_await ended;
        } else {
            auto ended = grouped(all, n);
            if (rules.deadline != never) ended = asyncio::timeout_at(rules.deadline, std::move(ended));
            co_await ended;
        }
    } catch (const asyncio::cancelled_error&) {
    } catch (const asyncio::timeout_error&) {
    } catch (const asyncio::exception_group&) {
        if (!all.state.stopped()) throw;
    }
    all.state.finish();
}

// --- Streams ---

namespace {

// With the errors of the contract.
template <class T>
coro<T> in_time(time_point deadline, coro<T> what) {
    if (deadline != never) what = asyncio::timeout_at(deadline, std::move(what));
    try {
        co_return co_await what;
    } catch (const asyncio::cancelled_error&) {
        throw cancelled();
    } catch (const asyncio::timeout_error& e) {
        throw timed_out(e.what());
    }
}

}  // namespace

coro<event_loop_tasks::stream> event_loop_tasks::context::connect(endpoint to, time_point deadline) {
    check(stop());
    const std::string address = to_string(to);
    auto connected =
        in_time(deadline, asyncio::open_connection(address.substr(0, address.find(':')), to.port));
    try {
        co_return stream(co_await connected);
    } catch (const std::system_error& e) {
        sockets::fail(e.code().value(), "connect");
    }
}

coro<std::size_t> event_loop_tasks::stream::read_some(context& ctx, std::span<std::byte> into,
                                                      time_point deadline) {
    check(ctx.stop());
    auto reading = in_time(deadline, ends().first.read(static_cast<std::ptrdiff_t>(into.size())));
    const std::string got = co_await reading;
    std::memcpy(into.data(), got.data(), got.size());
    co_return got.size();
}

coro<void> event_loop_tasks::stream::write_all(context& ctx, std::span<const std::byte> from,
                                               time_point deadline) {
    check(ctx.stop());
    ends().second.write(std::string_view(reinterpret_cast<const char*>(from.data()), from.size()));
    auto draining = in_time(deadline, ends().second.drain());
    co_await draining;
}

void event_loop_tasks::stream::close() {
    if (!ends_) return;
    if (ends().first.at_eof())
        ends().second.close();
    else
        ends().second.abort();
    ends_.reset();
}

}  // namespace crossover
