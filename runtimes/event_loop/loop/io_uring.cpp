// The loop's back end on io_uring.
#include "runtimes/event_loop/loop/io_uring.hpp"

#include "runtimes/reactor/io_uring_reactor.hpp"

namespace crossover::asyncio {

std::unique_ptr<reactor> make_io_uring_reactor() { return std::make_unique<io_uring_reactor>(); }

}  // namespace crossover::asyncio
