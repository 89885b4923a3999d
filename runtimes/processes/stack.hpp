// Stacks in the arena, and processes that run on them, so that what lies on an item's stack is seen by other
// workers.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "runtimes/contract/arena.hpp"

namespace crossover::processes {

// A stack with its guard page at the low end, and beside it the room for the coroutine frames of the process
// on it.
struct stack {
    std::byte* base;
    std::size_t bytes;
    std::byte* frames;
    std::size_t frame_bytes;

    // Address space only: pages are taken when touched. Throws `refused` when the arena is full.
    static stack in(arena& memory, std::size_t bytes, std::size_t frame_bytes);
};

// Starts main(argument) in a new process on the stack `on`; returns its id, or -1 with errno. When main
// returns the process leaves with _exit(0). It is killed when the calling thread ends. Call from a process
// with a single thread. clone() starts a process on another stack by itself: no context switch and no library
// is needed.
pid_t start_process(const stack& on, void (*main)(void*), void* argument);

}  // namespace crossover::processes
