// The verbs of an item, and how the caller's batch reaches the threads.
#include "runtimes/fibers/fibers_multi.hpp"

#include <algorithm>
#include <system_error>

#include "runtimes/fibers/batches.hpp"
#include "runtimes/fibers/worker.hpp"
#include "runtimes/system/files.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

fibers_multi::fibers_multi(const options& settings) : executor_(executor_threads(settings.cores)) {
    for (std::size_t i = 0; i < settings.cores; ++i) workers_.push_back(std::make_unique<worker>(*this));
    try {
        for (auto& each : workers_) each->start();
    } catch (const std::system_error& e) {
        stop_threads();
        refuse_if_out_of_descriptors(e.code().value(), "starting a thread for fibers");
        refuse_worker(e.code().value(), "starting a thread for fibers");
    }
}

fibers_multi::~fibers_multi() { stop_threads(); }

void fibers_multi::stop_threads() {
    for (auto& each : workers_) each->stop();
}

void fibers_multi::wake_stopped() {
    for (auto& each : workers_) each->call_to_stop();
}

void fibers_multi::call_one() {
    for (auto& each : workers_)
        if (each->scheduler().asleep()) return each->call();
}

blocking::ready<> fibers_multi::context::run(std::size_t n, job<context> item_job, const void* batch,
                                             policy rules) {
    check(stop());
    nested_batch all(worker_, n, item_job, batch, rules, stop());
    if (n > 0) all.run();
    all.state.finish();
    return {};
}

blocking::ready<> fibers_multi::context::offload(void (*function)(void*), void* argument) {
    cross_thread::offload<fiber::turn>(static_cast<verbs&>(*this), worker_.owner().executor_, function,
                                       argument);
    return {};
}

blocking::ready<std::size_t> fibers_multi::context::read_file(const char* path, std::span<std::byte> into) {
    struct order {
        const char* path;
        std::span<std::byte> into;
        std::size_t bytes;
    } mine{path, into, 0};
    offload(
        [](void* o) {
            auto& read = *static_cast<order*>(o);
            read.bytes = files::read(read.path, read.into);
        },
        &mine);
    return blocking::ready<std::size_t>(mine.bytes);
}

void fibers_multi::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    const std::size_t lanes = std::min(n, rules.in_flight);
    const std::size_t parts = std::min(lanes, workers_.size());
    called_batch all(*this, n, item_job, batch, rules, parts);
    if (parts > 0) {
        // Each has its share of the bound, lest the first one to come start all that may be in flight.
        // Without a bound there is nothing to share: it takes what it can start before the others come.
        for (std::size_t i = 0; i < parts; ++i)
            workers_[i]->order(all, lanes == n ? n : lanes / parts + (i < lanes % parts ? 1 : 0));
        if (rules.deadline == never) {
            ended_.acquire();
        } else if (!ended_.try_acquire_until(rules.deadline)) {
            all.stop();
            ended_.acquire();
        }
    }
    all.state.finish();
}

}  // namespace crossover
