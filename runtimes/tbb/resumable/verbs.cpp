// Sockets through the watcher's reactor, sleeps through its timers.
#include "runtimes/tbb/resumable/verbs.hpp"

#include <string>

#include "runtimes/system/files.hpp"

namespace crossover::resumable {

void verbs::await_descriptor(int descriptor, direction d, time_point deadline, const char* what) {
    waiting self(by_, stop_);
    self.suspend_for(descriptor, d, deadline);
    check(stop_);
    if (deadline != never && std::chrono::steady_clock::now() >= deadline)
        throw timed_out(std::string(what) + " passed its deadline");
}

ready<> verbs::sleep_for(std::chrono::nanoseconds time) {
    check(stop_);
    const time_point until = from_now(time);
    waiting self(by_, stop_);
    self.suspend(until);
    check(stop_);
    return {};
}

ready<verbs::stream> verbs::connect(endpoint to, time_point deadline) {
    return stream::connect(*this, by_.reactor(), to, deadline);
}

ready<> verbs::yield() {
    check(stop_);
    tbb::task::suspend([](tbb::task::suspend_point here) { tbb::task::resume(here); });
    check(stop_);
    return {};
}

ready<std::size_t> verbs::read_file(const char* path, std::span<std::byte> into) {
    check(stop_);
    return ready<std::size_t>(files::read(path, into));
}

ready<> verbs::offload(void (*function)(void*), void* argument) {
    cross_thread::offload<turn>(*this, beside_, function, argument);
    return {};
}

}  // namespace crossover::resumable
