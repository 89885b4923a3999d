// Memory for coroutine frames: the rarely used part.
#include "runtimes/system/frame_pool.hpp"

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
        for (std::size_t kind = 0; kind < local_.large.size(); ++kind) {
            while (block* const b = local_.large[kind]) {
                local_.large[kind] = b->next;
                ::operator delete(b);
            }
        }
        local_ = lists{};
    }
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void* frame_pool::refill(std::size_t bytes) { return ::operator new(bytes); }
void frame_pool::release_large(void* at, std::size_t bytes) noexcept { ::operator delete(at, bytes); }

#else

void frame_pool::donate_at_thread_end() {
    thread_local const donor at_thread_end;
    static_cast<void>(at_thread_end);
}

// Frames with a buffer in them. Hundreds that come and go together are the top of malloc's heap, which it
// would give back to the system and fault in again each time.
void* frame_pool::allocate_large(std::size_t bytes) {
    if (bytes > largest_kept) return ::operator new(bytes);
    donate_at_thread_end();
    const std::size_t kind = (bytes + large_step - 1) / large_step;
    const std::size_t rounded = kind * large_step;
    block* const b = local_.large[kind];
    if (!b) return ::operator new(rounded);
    local_.large[kind] = b->next;
    return b;
}

void frame_pool::release_large(void* at, std::size_t bytes) noexcept {
    if (bytes > largest_kept) return ::operator delete(at, bytes);
    donate_at_thread_end();
    const std::size_t kind = (bytes + large_step - 1) / large_step;
    local_.large[kind] = ::new (at) block(local_.large[kind]);
}

void* frame_pool::refill(std::size_t bytes) {
    constexpr std::size_t chunk_bytes = 64 * 1024;
    if (bytes > largest) return allocate_large(bytes);
    const std::size_t kind = (bytes + step - 1) / step;
    donate_at_thread_end();
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
