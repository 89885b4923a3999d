// The verbs of a context whose items are tasks of our event loop: awaiting one suspends the task.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "runtimes/contract/arena.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/bounded_ring.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"
#include "runtimes/event_loop/sync/semaphore.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"
#include "runtimes/system/endpoint.hpp"

namespace crossover::looped {

// Awaits something of the library, and turns its errors into those of the contract.
template <class Wait>
class [[nodiscard]] in_contract {
  public:
    template <class... Args>
    explicit in_contract(Args&&... args) : wait_(std::forward<Args>(args)...) {}

    bool await_ready() { return wait_.await_ready(); }
    auto await_suspend(std::coroutine_handle<> h) { return wait_.await_suspend(h); }
    decltype(auto) await_resume() {
        try {
            return wait_.await_resume();
        } catch (const asyncio::cancelled_error&) {
            throw cancelled();
        } catch (const asyncio::timeout_error& e) {
            throw timed_out(e.what());
        }
    }

  private:
    Wait wait_;
};

// Notes in `state` what an item has thrown; true as in batch_state::note.
bool note_error(batch_state& state, std::size_t index, const std::exception_ptr& error) noexcept;

class verbs;

// Reads, and notes whether the peer has closed.
class read_wait : public asyncio::recv_wait {
  public:
    read_wait(asyncio::socket& from, std::span<std::byte> into, time_point deadline, bool& ended)
        : recv_wait(from, into, deadline), ended_(ended) {}
    std::size_t await_resume() {
        std::size_t n = recv_wait::await_resume();
        if (n == 0) ended_ = true;
        return n;
    }

  private:
    bool& ended_;
};

// A TCP connection owned by one item.
class stream {
  public:
    // Takes a non-blocking descriptor over.
    explicit stream(int descriptor) : socket_(descriptor, asyncio::socket::non_blocking()) {}
    stream(stream&&) = default;
    stream& operator=(stream&&) = default;
    ~stream() { close(); }

    inline in_contract<read_wait> read_some(verbs& ctx, std::span<std::byte> into,
                                            time_point deadline = never);
    inline in_contract<asyncio::sendall_wait> write_all(verbs& ctx, std::span<const std::byte> from,
                                                        time_point deadline = never);
    // Aborts the connection (linger 0) unless the peer has closed it.
    void close();

    asyncio::socket& socket() { return socket_; }

  private:
    asyncio::socket socket_;
    bool ended_ = false;
};

class semaphore;
template <class T>
class channel;

// The part of a context that does not depend on how items are handed out.
class verbs {
  public:
    verbs() = default;
    // The same with another stop.
    verbs(const verbs&, const stop_state* stop) : stop_(stop) {}

    using task = asyncio::coro<void>;
    template <class T>
    using async = asyncio::coro<T>;
    using stream = looped::stream;
    using semaphore = looped::semaphore;
    template <class T>
    using channel = looped::channel<T>;

    in_contract<asyncio::sleep_wait> sleep_for(std::chrono::nanoseconds time) {
        check(stop_);
        return in_contract<asyncio::sleep_wait>(time);
    }
    asyncio::coro<stream> connect(endpoint to, time_point deadline = never);
    in_contract<asyncio::sleep_wait> yield() { return sleep_for(std::chrono::nanoseconds(0)); }

    const stop_state* stop() const { return stop_; }

  private:
    const stop_state* stop_ = nullptr;
};

in_contract<read_wait> stream::read_some(verbs& ctx, std::span<std::byte> into, time_point deadline) {
    check(ctx.stop());
    return in_contract<read_wait>(socket_, into, deadline, ended_);
}

in_contract<asyncio::sendall_wait> stream::write_all(verbs& ctx, std::span<const std::byte> from,
                                                     time_point deadline) {
    check(ctx.stop());
    return in_contract<asyncio::sendall_wait>(socket_, from, deadline);
}

// asyncio's.
class semaphore {
  public:
    static constexpr discipline order = discipline::fifo;

    explicit semaphore(std::size_t permits) : inner_(static_cast<std::ptrdiff_t>(permits)) {}

    in_contract<asyncio::semaphore::permit_wait> acquire(verbs& ctx) {
        check(ctx.stop());
        return in_contract<asyncio::semaphore::permit_wait>(inner_);
    }

  private:
    asyncio::semaphore inner_;
};

// A bounded channel between tasks of one loop: a ring and two lists of waiters. An element or a free place is
// handed to a waiter at once, so that nobody is woken in vain.
template <class T>
class channel {
  public:
    static constexpr discipline order = discipline::fifo;

    channel(arena& memory, std::size_t capacity) : ring_(memory, capacity) {}

    class push_wait : asyncio::queued_wait {
      public:
        push_wait(channel& c, const T& value) : queued_wait(c.producers_), channel_(c), value_(value) {}
        bool await_ready() { return channel_.closed_ || channel_.give(value_); }
        void await_suspend(std::coroutine_handle<> h) { this->wait(h); }
        bool await_resume() {
            this->check_cancelled();
            return this->suspended() ? taken_ : !channel_.closed_;
        }

      private:
        friend class channel;
        std::string describe() const override { return "channel.push()"; }
        channel& channel_;
        T value_;
        bool taken_ = false;
    };

    class pop_wait : asyncio::queued_wait {
      public:
        explicit pop_wait(channel& c) : queued_wait(c.consumers_), channel_(c) {}
        bool await_ready() {
            value_ = channel_.take();
            return value_.has_value() || channel_.closed_;
        }
        void await_suspend(std::coroutine_handle<> h) { this->wait(h); }
        std::optional<T> await_resume() {
            this->check_cancelled();
            return value_;
        }

      private:
        friend class channel;
        std::string describe() const override { return "channel.pop()"; }
        channel& channel_;
        std::optional<T> value_;
    };

    in_contract<push_wait> push(verbs& ctx, T value) {
        check(ctx.stop());
        return in_contract<push_wait>(*this, value);
    }

    in_contract<pop_wait> pop(verbs& ctx) {
        check(ctx.stop());
        return in_contract<pop_wait>(*this);
    }

    void close() {
        closed_ = true;
        producers_.wake_all();
        consumers_.wake_all();
    }

  private:
    bool give(const T& value) {
        if (auto* waiting = static_cast<pop_wait*>(consumers_.wake_first())) {
            waiting->value_ = value;
            return true;
        }
        if (ring_.full()) return false;
        ring_.push(value);
        return true;
    }

    std::optional<T> take() {
        if (ring_.empty()) return std::nullopt;
        T value = ring_.pop();
        if (auto* waiting = static_cast<push_wait*>(producers_.wake_first())) {
            waiting->taken_ = true;
            give(waiting->value_);
        }
        return value;
    }

    bounded_ring<T> ring_;
    bool closed_ = false;
    asyncio::wait_list producers_;
    asyncio::wait_list consumers_;
};

}  // namespace crossover::looped
