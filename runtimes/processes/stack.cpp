// clone() onto a stack in shared memory. The new process's arguments are on its own stack, because its parent
// continues.
#include "runtimes/processes/stack.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <new>

#include "runtimes/blocking/frames.hpp"
#include "runtimes/system/processor.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace crossover::processes {

namespace {

struct launch {
    void (*main)(void*);
    void* argument;
    const stack* on;
    pid_t parent;
};

int begin(void* at) {
    const launch start = *static_cast<launch*>(at);
    // Its parent is the thread that started it, which lives as long as that process: the signal means what it
    // says.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != start.parent) ::_exit(1);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(nullptr, start.on->base, start.on->bytes);
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
    // Only here: each process guards its own stack, and forking stays cheap where there are many.
    ::mprotect(start.on->base, page_bytes(), PROT_NONE);
    blocking::frames frames(start.on->frames, start.on->frame_bytes);
    blocking::frames::current = &frames;
    start.main(start.argument);
    ::_exit(0);
}

}  // namespace

stack stack::in(arena& memory, std::size_t bytes, std::size_t frame_bytes) {
    auto* base = static_cast<std::byte*>(memory.allocate(bytes, page_bytes()));
    auto* frames = static_cast<std::byte*>(memory.allocate(frame_bytes, page_bytes()));
    return {base, bytes, frames, frame_bytes};
}

pid_t start_process(const stack& on, void (*main)(void*), void* argument) {
    std::byte* top = on.base + on.bytes - sizeof(launch);
    auto* at = ::new (top) launch{main, argument, &on, ::getpid()};
    return ::clone(begin, top, SIGCHLD, at);
}

}  // namespace crossover::processes
