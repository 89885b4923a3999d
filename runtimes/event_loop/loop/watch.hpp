// add_reader, add_writer: callbacks for descriptors that the program reads and writes by itself.
#pragma once

#include <functional>

#include "runtimes/event_loop/loop/loop.hpp"

namespace crossover::asyncio {

// Calls f() in each iteration in which the descriptor can be read (written). Replaces an earlier callback for
// the same direction. The descriptor stays the caller's, who takes the callback back before closing it.
// Throws std::runtime_error if the loop is closed, std::system_error if the kernel cannot watch it.
void add_reader(loop& l, int fd, std::function<void()> f);
void add_writer(loop& l, int fd, std::function<void()> f);

// Returns whether there was one.
bool remove_reader(loop& l, int fd);
bool remove_writer(loop& l, int fd);

}  // namespace crossover::asyncio
