// Calls in the workers of an executor, and what the workers have used.
#include "runtimes/event_loop_models/event_loop_processes.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <system_error>

#include "runtimes/event_loop/executors/worker_process.hpp"
#include "runtimes/event_loop_models/loop_executor.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/processor.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover {

// Written by the workers, each its own worker_slot; the slots of dead workers stay as they are.
struct event_loop_processes::account {
    struct alignas(cache_line_bytes) worker_slot {
        std::atomic<int> pid{0};
        usage used;
    };

    account(arena& memory, std::size_t workers)
        : slots(memory.make_array<worker_slot>(generations * workers)) {}

    // So often all workers may be replaced.
    static constexpr std::size_t generations = 64;
    std::span<worker_slot> slots;
    std::atomic<std::size_t> taken{0};
};

event_loop_processes::event_loop_processes(const options& settings)
    : model(context(*this)),
      workers_(settings.cores),
      account_(settings.memory->make<account>(*settings.memory, workers_)),
      idle_workers_(static_cast<std::ptrdiff_t>(workers_)) {
    try {
        supervisor_ = std::make_shared<asyncio::worker_supervisor>();
    } catch (const std::system_error& e) {
        refuse_if_out_of_descriptors(e.code().value(), "starting the process that forks the workers");
        refuse_worker(e.code().value(), "forking the process that forks the workers");
    }
    loop().run_until_complete(open());
}

event_loop_processes::~event_loop_processes() { loop().run_until_complete(close()); }

asyncio::coro<void> event_loop_processes::open() {
    asyncio::process_executor_options from_supervisor;
    from_supervisor.supervisor = supervisor_;
    executor_ = std::make_unique<asyncio::process_executor>(workers_, from_supervisor);
    co_return;
}

asyncio::coro<void> event_loop_processes::close() {
    co_await executor_->shutdown();
    executor_.reset();
}

asyncio::coro<void> event_loop_processes::whole_run(std::size_t n, job<context> item_job, const void* batch,
                                                    const policy& rules) {
    if (executor_->broken()) {
        co_await close();
        co_await open();
    }
    co_await looped::whole_batch(n, item_job, batch, rules, outside());
}

void event_loop_processes::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    struct known {
        ~known() { owner.note_ids(); }
        event_loop_processes& owner;
    } const at_end{*this};
    loop().run_until_complete(whole_run(n, item_job, batch, rules));
}

void event_loop_processes::note_ids() {
    ids_.clear();
    const std::size_t taken = std::min(account_->taken.load(), account_->slots.size());
    const std::size_t alive = std::min(taken, executor_->workers());
    for (std::size_t i = taken - alive; i < taken; ++i)
        if (const int pid = account_->slots[i].pid.load()) ids_.push_back(pid);
}

usage event_loop_processes::workers_used() const {
    usage sum;
    for (const auto& each : account_->slots) sum += each.used;
    return sum;
}

void event_loop_processes::call_in_worker(std::uintptr_t function, std::uintptr_t argument,
                                          std::uintptr_t in) {
    static account::worker_slot* const mine = [in] {
        auto& all = *reinterpret_cast<account*>(in);
        const std::size_t place = all.taken.fetch_add(1);
        if (place >= all.slots.size()) throw refused("the workers have died too often: start anew");
        account::worker_slot* const found = &all.slots[place];
        found->pid.store(::getpid());
        return found;
    }();
    struct counted {
        ~counted() { mine->used = own_usage(); }
    } const at_end;
    reinterpret_cast<void (*)(void*)>(function)(reinterpret_cast<void*>(argument));
}

asyncio::coro<void> looped::worker_verbs::offload(void (*function)(void*), void* argument) {
    check(stop());
    try {
        const auto worker = co_await owner_.idle_workers_.scoped();
        check(stop());
        auto call = asyncio::run_in_executor(*owner_.executor_, &event_loop_processes::call_in_worker,
                                             reinterpret_cast<std::uintptr_t>(function),
                                             reinterpret_cast<std::uintptr_t>(argument),
                                             reinterpret_cast<std::uintptr_t>(owner_.account_));
        auto made = looped::to_its_end(std::move(call));
        co_await std::move(made);
    } catch (const asyncio::cancelled_error&) {
        throw cancelled();
    } catch (const asyncio::no_worker& e) {
        refuse_if_out_of_descriptors(e.error(), "starting a worker of the executor");
        refuse_worker(e.error(), "forking a worker of the executor");
    } catch (const asyncio::broken_process_pool& e) {
        if (e.signal() == 0) throw;
        throw worker_lost(e.what(), e.signal());
    }
    check(stop());
}

}  // namespace crossover
