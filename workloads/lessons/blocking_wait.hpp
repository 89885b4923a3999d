// A library call that can only block, as a database driver without an asynchronous interface does.
#pragma once

#include <chrono>

namespace crossover {

// Holds the calling thread for at least `time`; no model can see it or cancel it.
void blocking_wait(std::chrono::nanoseconds time);

}  // namespace crossover
