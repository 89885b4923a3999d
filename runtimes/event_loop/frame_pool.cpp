// Memory for coroutine frames: the part that is seldom needed.
#include "runtimes/event_loop/frame_pool.hpp"

#include <mutex>

namespace crossover::asyncio {

// Never destroyed, and thus reachable for the leak checker and usable by destructors of static objects.
struct frame_pool::depot {
    struct chunk {
        chunk* next;
    };
    std::mutex lock;
    std::array<block*, kinds> free{};
    chunk* chunks = nullptr;

    static depot& instance() {
        static depot* const d = new depot;
        return *d;
    }
};

struct frame_pool::donor {
    ~donor() {
        depot& d = depot::instance();
        const std::lock_guard guard(d.lock);
        for (std::size_t kind = 0; kind < kinds; ++kind) {
            while (block* const b = local_.free[kind]) {
                local_.free[kind] = b->next;
                b->next = d.free[kind];
                d.free[kind] = b;
            }
        }
        local_ = lists{};
    }
};

void frame_pool::release_large(void* at, std::size_t bytes) noexcept { ::operator delete(at, bytes); }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void* frame_pool::refill(std::size_t bytes) { return ::operator new(bytes); }

#else

void* frame_pool::refill(std::size_t bytes) {
    constexpr std::size_t chunk_bytes = 64 * 1024;
    if (bytes > largest) return ::operator new(bytes);
    const std::size_t kind = (bytes + step - 1) / step;
    thread_local const donor at_thread_end;
    static_cast<void>(at_thread_end);
    depot& d = depot::instance();
    {
        const std::lock_guard guard(d.lock);
        if (block* const b = d.free[kind]) {
            d.free[kind] = nullptr;
            local_.free[kind] = b->next;
            return b;
        }
    }
    auto* const raw = static_cast<std::byte*>(::operator new(chunk_bytes, std::align_val_t(64)));
    {
        const std::lock_guard guard(d.lock);
        d.chunks = ::new (raw) depot::chunk{d.chunks};
    }
    // The rest of the old chunk is smaller than this request: it becomes a block of its own size.
    if (const auto left = static_cast<std::size_t>(local_.end - local_.begin); left >= step)
        release(local_.begin, left);
    local_.begin = raw + 64;
    local_.end = raw + chunk_bytes;
    std::byte* const at = local_.begin;
    local_.begin += kind * step;
    return at;
}

#endif

}  // namespace crossover::asyncio
