// The state behind tasks and futures: the result, the waiters, and for a task also where it waits.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtimes/event_loop/loop/errors.hpp"
#include "runtimes/system/frame_pool.hpp"
#include "runtimes/system/node.hpp"

namespace crossover::asyncio {

class loop;
struct outcome;
struct task_state;

// Embedded in whoever wants to know when an outcome is there. `done` is called inside the completion, so it
// only notes or queues.
struct completion {
    using function = void (*)(completion&, outcome&);
    explicit completion(function f) noexcept : done(f) {}
    completion* next = nullptr;
    function done;
};

// Base of what a task can be cancelled out of.
class pending {
  public:
    // Returns true if it has dealt with the cancellation: the task will be woken and its await throws. False:
    // the task has been woken already, deliver at its next step.
    virtual bool cancel(task_state& t, std::string_view message) = 0;
    // For a cancellation that was passed on and has come round to its sender: ends the wait as cancel() would
    // if it passed nothing on. False if it cannot.
    virtual bool give_up(task_state&, std::string_view) { return false; }
    // What is waited for, in a few words: "sleep, 0.3 s left".
    virtual std::string describe() const = 0;

  protected:
    pending() = default;
    ~pending() = default;
};

enum class phase : std::uint8_t {
    pending,
    returned,  // the body has ended, which is not yet announced
    threw,     // likewise
    finished,
    failed,
    cancelled,
};

namespace flag {
inline constexpr std::uint8_t must_cancel = 1;  // throw cancelled_error at the next step
inline constexpr std::uint8_t interrupted = 2;  // the await that is being resumed throws cancelled_error
inline constexpr std::uint8_t unretrieved = 4;  // holds an exception that nobody has looked at
inline constexpr std::uint8_t noted = 8;        // the loop keeps notes about it: name, message, context
inline constexpr std::uint8_t is_task = 16;     // lies in a task_state
inline constexpr std::uint8_t catchless =
    32;  // a task: the frame that waits catches nothing; a child: nor does its parent
inline constexpr std::uint8_t never_begun = 64;  // the body has not been entered
inline constexpr std::uint8_t wait_over = 128;   // an interrupted await would only throw
}  // namespace flag

// 32 bytes; the value, if it is larger than 8 bytes, lies directly before the task_state around it.
struct outcome {
    outcome() noexcept : frame(nullptr) {}
    outcome(const outcome&) = delete;
    outcome& operator=(const outcome&) = delete;
    ~outcome() {}

    bool done() const noexcept { return state >= phase::finished; }
    bool has(std::uint8_t f) const noexcept { return flags & f; }
    void set(std::uint8_t f) noexcept { flags = static_cast<std::uint8_t>(flags | f); }
    void clear(std::uint8_t f) noexcept { flags = static_cast<std::uint8_t>(flags & ~f); }
    bool take(std::uint8_t f) noexcept {
        const bool had = has(f);
        clear(f);
        return had;
    }

    void set_error(std::exception_ptr e) noexcept { ::new (&error) std::exception_ptr(std::move(e)); }
    // The exception; for a cancelled outcome perhaps null, which means a plain cancelled_error.
    const std::exception_ptr& get_error() const noexcept { return error; }

    loop* owner = nullptr;
    completion* callbacks = nullptr;  // latest first
    union {
        std::source_location body;  // not begun: the coroutine function
        void* frame;                // a running task: where to resume it
        std::exception_ptr error;   // threw, failed, cancelled
        std::byte small[8];         // returned, finished: the value, if it fits
    };
    std::uint32_t refs = 0;
    std::uint16_t cancelling = 0;
    phase state = phase::pending;
    std::uint8_t flags = 0;
};
static_assert(sizeof(outcome) == 32);

// What lies before each coroutine frame of the library, at the same distance for all: unused (apart from the
// continuation) while the coroutine is awaited as a child, and the whole task once create_task() adopts it.
// One allocation serves both, and the result outlives the frame.
struct task_state : node {
    union {
        pending* awaiting =
            nullptr;  // a task: what it can be cancelled out of; a future: what cancels it, if not itself
        void* continuation;  // a child: the frame that awaits it
        std::size_t bytes;   // a task whose frame is gone: what was allocated
    };
    std::uint32_t index = 0;   // in the loop's list of tasks
    std::uint32_t serial = 0;  // numbers the automatic names
    outcome result;

    bool cancel(std::string_view message);
    static task_state& of(outcome& o) noexcept {
        return *reinterpret_cast<task_state*>(reinterpret_cast<std::byte*>(&o) - offset);
    }
    static constexpr std::size_t offset = 32;
};
static_assert(sizeof(task_state) == 64);

struct no_value {};

template <class T>
using stored = std::conditional_t<std::is_void_v<T>, no_value,
                                  std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T>*, T>>;

// Where a result of type T lies.
template <class T>
struct value_of {
    using type = stored<T>;
    static_assert(alignof(type) <= 16,
                  "results of a larger alignment than 16 are not supported: return a pointer");
    // NOLINTNEXTLINE(bugprone-sizeof-expression): a result that is a pointer is meant as one
    static constexpr std::size_t bytes = sizeof(type);
    static constexpr bool fits = bytes <= 8 && alignof(type) <= 8;
    static constexpr std::size_t extra = fits ? 0 : (bytes + 15) / 16 * 16;  // before the task_state

    static type& in(outcome& o) noexcept {
        if constexpr (fits)
            return *std::launder(reinterpret_cast<type*>(o.small));
        else
            return *std::launder(reinterpret_cast<type*>(before(o)));
    }
    template <class... Args>
    static void make(outcome& o, Args&&... args) {
        if constexpr (fits)
            ::new (static_cast<void*>(o.small)) type(std::forward<Args>(args)...);
        else
            ::new (static_cast<void*>(before(o))) type(std::forward<Args>(args)...);
    }

  private:
    static std::byte* before(outcome& o) noexcept {
        return reinterpret_cast<std::byte*>(&o) - task_state::offset - extra;
    }
};

// What lies before the frame of a coroutine: the value if it is large, and the task_state.
template <class T>
inline constexpr std::size_t header_bytes = sizeof(task_state) + value_of<T>::extra;

// Frees what lies before the frame, and the frame if it is `bytes` long in all.
template <class T>
void release_header(task_state& t, std::size_t bytes) noexcept {
    frame_pool::release(reinterpret_cast<std::byte*>(&t) - value_of<T>::extra, bytes);
}

// Destroys the value or the exception, whatever there is.
template <class T>
void destroy_result(outcome& o) noexcept {
    switch (o.state) {
        case phase::returned:
        case phase::finished:
            std::destroy_at(&value_of<T>::in(o));
            break;
        case phase::threw:
        case phase::failed:
        case phase::cancelled:
            o.error.~exception_ptr();
            break;
        case phase::pending:
            break;
    }
}

// Tells everybody who asked, in the order in which they asked. The phase is already set.
inline void announce(outcome& o) {
    completion* c = std::exchange(o.callbacks, nullptr);
    if (c && !c->next) [[likely]]
        return c->done(*c, o);
    completion* first = nullptr;
    while (c) {
        completion* const next = c->next;
        c->next = first;
        first = c;
        c = next;
    }
    while (first) {
        completion* const next = first->next;
        first->done(*first, o);
        first = next;
    }
}

inline void subscribe(outcome& o, completion& c) noexcept {
    c.next = o.callbacks;
    o.callbacks = &c;
}

// Returns whether it was there.
inline bool unsubscribe(outcome& o, completion& c) noexcept {
    for (completion** at = &o.callbacks; *at; at = &(*at)->next) {
        if (*at != &c) continue;
        *at = c.next;
        return true;
    }
    return false;
}

}  // namespace crossover::asyncio
