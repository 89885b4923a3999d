// Sockets through the reactor, sleeps through the timers.
#include "runtimes/fibers/verbs.hpp"

#include <string>

namespace crossover::fiber {

void verbs::await_descriptor(int descriptor, direction d, time_point deadline, const char* what) {
    waiting self(on_);
    if (on_.reactor().wait(descriptor, d, self)) return;
    bool in_time = self.suspend(stop_, deadline);
    on_.reactor().cancel(descriptor, d, self);
    check(stop_);
    if (!in_time) throw timed_out(std::string(what) + " passed its deadline");
}

ready<> verbs::sleep_for(std::chrono::nanoseconds time) {
    check(stop_);
    const time_point until = from_now(time);
    waiting self(on_);
    self.suspend(stop_, until);
    check(stop_);
    return {};
}

ready<verbs::stream> verbs::connect(endpoint to, time_point deadline) {
    return stream::connect(*this, on_.reactor(), to, deadline);
}

ready<> verbs::yield() {
    check(stop_);
    on_.yield();
    return {};
}

}  // namespace crossover::fiber
