// In steady state an operation allocates nothing: counted by replacing operator new in this program.
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <new>

#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace {

std::size_t allocations = 0;  // the tests have one thread

void* counted(std::size_t bytes, std::size_t alignment) {
    ++allocations;
    void* const at = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (!at) throw std::bad_alloc();
    return at;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t a) {
    return counted(bytes, static_cast<std::size_t>(a));
}
// Under AddressSanitizer this one does not end in the first by itself; a newer gtest sorts with it.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return counted(bytes, 16); }
void operator delete(void* at) noexcept { std::free(at); }
void operator delete(void* at, std::size_t) noexcept { std::free(at); }
void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
void operator delete(void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

constexpr int warm_up = 300;
constexpr int measured = 2000;

// Counts from the end of its warm-up; to be told of each operation.
class steady_state {
  public:
    void operation() {
        if (++operations_ == warm_up) begin_ = allocations;
        if (operations_ == warm_up + measured) made_ = allocations - begin_;
    }
    bool over() const noexcept { return operations_ >= warm_up + measured; }
    // Allocations during the measured operations.
    std::size_t made() const {
        EXPECT_TRUE(over());
        return made_;
    }

  private:
    int operations_ = 0;
    std::size_t begin_ = 0;
    std::size_t made_ = ~std::size_t{0};
};

class allocation_test : public on_each_back_end {};

TEST_P(allocation_test, the_counter_counts) {
    steady_state counter;
    while (!counter.over()) {
        counter.operation();
        static_cast<void>(std::make_unique<int>(1));
    }
    EXPECT_GE(counter.made(), static_cast<std::size_t>(measured) - 1);
}

coro<> sleeps(steady_state& counter, std::chrono::nanoseconds delay) {
    while (!counter.over()) {
        co_await sleep(delay);
        counter.operation();
    }
}

TEST_P(allocation_test, sleeping_allocates_nothing) {
    steady_state counter;
    auto body = [&]() -> coro<> {
        const task<> other = create_task(sleeps(counter, 1us));
        co_await sleeps(counter, 2us);
        co_await other;
    };
    run(body());
    EXPECT_EQ(counter.made(), 0u);
}

TEST_P(allocation_test, timers_that_come_and_go_in_order_allocate_nothing) {
    steady_state counter;
    timer_heap timers;
    std::array<node, 50> some;
    for (std::size_t i = 0; !counter.over(); ++i) {
        node& next = some[i % some.size()];
        if (timer_heap::armed(next)) timers.remove(next);  // the earliest, so that it never is empty
        timers.insert(next, time_point(std::chrono::nanoseconds(i)));
        counter.operation();
    }
    EXPECT_EQ(counter.made(), 0u);
}

TEST_P(allocation_test, giving_way_allocates_nothing) {
    steady_state counter;
    run(sleeps(counter, 0ns));
    EXPECT_EQ(counter.made(), 0u);
}

coro<> locks(steady_state& counter, lock& l) {
    while (!counter.over()) {
        co_await l.acquire();
        co_await sleep(0ns);  // so that the others must wait
        l.release();
        counter.operation();
    }
}

TEST_P(allocation_test, waiting_for_a_lock_allocates_nothing) {
    steady_state counter;
    auto body = [&]() -> coro<> {
        lock l;
        const task<> a = create_task(locks(counter, l));
        const task<> b = create_task(locks(counter, l));
        co_await locks(counter, l);
        co_await a;
        co_await b;
    };
    run(body());
    EXPECT_EQ(counter.made(), 0u);
}

coro<> puts(steady_state& counter, queue<int>& q) {
    while (!counter.over()) co_await q.put(1);
}

coro<> gets(steady_state& counter, queue<int>& q) {
    const task<> producer = create_task(puts(counter, q));
    while (!counter.over()) {
        co_await q.get();
        counter.operation();
    }
    while (!producer.done()) {
        if (!q.empty()) q.get_nowait();
        co_await sleep(0ns);
    }
    co_await producer;
}

TEST_P(allocation_test, handing_values_through_a_queue_allocates_nothing) {
    for (const std::size_t places : {1u, 50u}) {
        steady_state counter;
        auto body = [&]() -> coro<> {
            queue<int> q(places);
            co_await gets(counter, q);
        };
        run(body());
        EXPECT_EQ(counter.made(), 0u) << places << " places";
    }
}

TEST_P(allocation_test, an_unbounded_queue_allocates_nothing_while_it_does_not_grow) {
    steady_state counter;
    auto body = [&]() -> coro<> {
        queue<int> q;
        for (int i = 0; i < 20; ++i) q.put_nowait(i);
        while (!counter.over()) {
            co_await q.put(1);
            co_await q.get();
            counter.operation();
        }
    };
    run(body());
    EXPECT_EQ(counter.made(), 0u);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // there, frames are mallocs on purpose

coro<> holds(std::size_t& held, std::size_t bytes) {
    std::array<std::byte, 9'000> buffer;
    buffer[bytes] = std::byte{1};
    co_await sleep(0ns);
    held += static_cast<std::size_t>(buffer[bytes]);
}

TEST_P(allocation_test, coroutines_that_hold_a_buffer_use_the_memory_of_earlier_ones) {
    steady_state counter;
    std::size_t held = 0;
    auto body = [&]() -> coro<> {
        while (!counter.over()) {
            const task<> a = create_task(holds(held, 1));
            const task<> b = create_task(holds(held, 2));
            co_await a;
            co_await b;
            counter.operation();
        }
    };
    run(body());
    EXPECT_EQ(held, 2u * (warm_up + measured));
    EXPECT_EQ(counter.made(), 0u);
}

#endif

coro<> answers(socket& s) {
    std::array<std::byte, 64> buffer;
    for (;;) {
        const std::size_t n = co_await sock_recv(s, buffer);
        if (n == 0) co_return;
        co_await sock_sendall(s, std::span<const std::byte>(buffer.data(), n));
    }
}

coro<> asks(steady_state& counter, socket& s, bool with_deadlines) {
    std::array<std::byte, 64> buffer{};
    while (!counter.over()) {
        const time_point deadline = with_deadlines ? loop::time() + 10s : no_deadline;
        co_await sock_sendall(s, buffer, deadline);
        co_await sock_recv(s, buffer, deadline);
        counter.operation();
    }
}

TEST_P(allocation_test, waiting_for_a_socket_allocates_nothing) {
    for (const bool with_deadlines : {false, true}) {
        steady_state counter;
        auto body = [&]() -> coro<> {
            int ends[2];
            EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
            socket a(ends[0]);
            socket b(ends[1]);
            const task<> server = create_task(answers(b));
            co_await asks(counter, a, with_deadlines);
            a.close();
            co_await server;
        };
        run(body());
        EXPECT_EQ(counter.made(), 0u) << (with_deadlines ? "with deadlines" : "without deadlines");
    }
}

}  // namespace

CROSSOVER_ON_EACH_BACK_END(allocation_test);

}  // namespace crossover::asyncio
