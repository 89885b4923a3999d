// Coroutines: destroying long chains of coroutines that own each other.
#include "runtimes/event_loop/tasks/coro.hpp"

#include "runtimes/system/node.hpp"

namespace crossover::asyncio {

void destroy_deep_frame(std::coroutine_handle<> frame) {
    static constinit thread_local node_list left;
    task_state& t = header_of(frame);
    // One that waits may be using what its owner is about to destroy: it goes at once.
    const bool waits = t.continuation && !frame.done();
    if (frames_being_destroyed > most_nested && !waits) return left.push_back(t);
    ++frames_being_destroyed;
    frame.destroy();
    while (frames_being_destroyed == most_nested + 1 && !left.empty())
        frame_of(static_cast<task_state&>(left.pop_front())).destroy();
    --frames_being_destroyed;
}

}  // namespace crossover::asyncio
