// The loop's other back end: give make_io_uring_reactor to loop_options::back_end.
#pragma once

#include <memory>

#include "runtimes/reactor/reactor.hpp"

namespace crossover::asyncio {

// Throws std::system_error, whose text says why, where the kernel refuses io_uring.
std::unique_ptr<reactor> make_io_uring_reactor();

}  // namespace crossover::asyncio
