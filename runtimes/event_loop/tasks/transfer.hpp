// How one coroutine frame transfers control to another: by symmetric transfer if that is a tail call,
// otherwise through a trampoline.
#pragma once

#include <coroutine>

// GCC turns the transfer into a tail call from -O2 on and not under ASan or TSan; otherwise each hand-over
// would grow the stack. The build says which it is, because the preprocessor cannot tell -O1 from -O2.
#ifndef CROSSOVER_SYMMETRIC_TRANSFER
#define CROSSOVER_SYMMETRIC_TRANSFER 0
#endif

namespace crossover::asyncio {

#if CROSSOVER_SYMMETRIC_TRANSFER

using transferred = std::coroutine_handle<>;
inline transferred transfer_to(std::coroutine_handle<> next) noexcept { return next; }
inline transferred transfer_to_nobody() noexcept { return std::noop_coroutine(); }
inline void resume_chain(std::coroutine_handle<> first) { first.resume(); }

#else

using transferred = void;
inline constinit thread_local void* next_frame = nullptr;
inline void transfer_to(std::coroutine_handle<> next) noexcept { next_frame = next.address(); }
inline void transfer_to_nobody() noexcept { next_frame = nullptr; }
inline void resume_chain(std::coroutine_handle<> first) {
    void* frame = first.address();
    do {
        next_frame = nullptr;
        std::coroutine_handle<>::from_address(frame).resume();
        frame = next_frame;
    } while (frame);
    next_frame = nullptr;
}

#endif

}  // namespace crossover::asyncio
