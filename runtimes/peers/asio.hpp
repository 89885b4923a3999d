// asio: each item is an awaitable of Boost.Asio, all on one io_context and one thread. A well-known library
// as a peer of the event loop.
#pragma once

// clang-format off
#include <utility>  // first: awaitable.hpp of Boost 1.74 lacks it
// clang-format on

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>
#include <optional>
#include <span>
#include <string>

#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/bounded_ring.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover {

// One scheduled task = one job called by a handler posted to the io_context; if it is a coroutine, it is
// given to co_spawn. Everything names the io_context's own executor, because the type-erased one that is
// Asio's default costs a virtual call and a reference count at each step.
class asio {
  public:
    using executor = boost::asio::io_context::executor_type;
    using token = boost::asio::use_awaitable_t<executor>;
    using timer =
        boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                          boost::asio::wait_traits<std::chrono::steady_clock>, executor>;
    using socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor>;
    template <class T = void>
    using async = boost::asio::awaitable<T, executor>;

    class context;
    class semaphore;
    using permit = crossover::permit<semaphore>;
    template <class T>
    class channel;

    // A TCP connection owned by one item.
    class stream {
      public:
        explicit stream(executor on) : socket_(on) {}
        stream(stream&&) = default;
        stream& operator=(stream&& other) noexcept {
            std::swap(socket_, other.socket_);
            std::swap(ended_, other.ended_);
            return *this;
        }
        ~stream() { close(); }

        async<std::size_t> read_some(context& ctx, std::span<std::byte> into, time_point deadline = never);
        async<> write_all(context& ctx, std::span<const std::byte> from, time_point deadline = never);
        // Aborts the connection (linger 0) unless the peer has closed it.
        void close();

      private:
        friend class context;
        async<std::size_t> read(std::span<std::byte> into);
        async<> write(std::span<const std::byte> from);
        async<std::size_t> read_until(context& ctx, std::span<std::byte> into, time_point deadline);
        async<> write_until(context& ctx, std::span<const std::byte> from, time_point deadline);
        void note_end(const boost::system::error_code& error);

        socket socket_;
        bool ended_ = false;
    };

    class context {
      public:
        using task = asio::async<void>;
        template <class T>
        using async = asio::async<T>;
        using stream = asio::stream;
        using semaphore = asio::semaphore;
        template <class T>
        using channel = asio::channel<T>;

        context(asio& owner, const stop_state* stop) : owner_(owner), stop_(stop) {}

        asio::async<> sleep_for(std::chrono::nanoseconds time);
        asio::async<stream> connect(endpoint to, time_point deadline = never);
        asio::async<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);
        asio::async<> yield();

        asio& owner() { return owner_; }
        const stop_state* stop() const { return stop_; }

      private:
        asio& owner_;
        const stop_state* stop_;
    };

    static constexpr std::string_view name = "asio";
    static constexpr std::string_view family = "peer";
    static constexpr engineering engineered = engineering::library;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::offload:
                return "has one thread only, for which its io_context runs without locks";
            case verb::read:
                return "Asio on epoll has no files, and there is no second thread to read them";
            default:
                return "";
        }
    }

    explicit asio(const options&);

    std::size_t guaranteed_concurrency() const { return waits_.guaranteed_concurrency; }
    const std::string& concurrency_limit() const { return waits_.limit; }
    resource_use resources() const { return {}; }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    struct running_batch;

    using stoppable_hook = boost::intrusive::list_base_hook<
        boost::intrusive::tag<struct stoppable>,
        boost::intrusive::link_mode<boost::intrusive::link_mode_type::auto_unlink>>;
    using queued_hook = boost::intrusive::list_base_hook<
        boost::intrusive::tag<struct queued>,
        boost::intrusive::link_mode<boost::intrusive::link_mode_type::auto_unlink>>;

    // A wait of an item, which a stop can end: Asio 1.74 cancels operations only through their timer or
    // socket.
    class wait : public stoppable_hook {
      public:
        using function = void (*)(wait&);
        wait(context& ctx, function interrupt) : stop_(ctx.stop()), interrupt_(interrupt) {
            if (stop_) ctx.owner().stoppable_.push_back(*this);
        }

      protected:
        const stop_state* stop_;

      private:
        friend class asio;
        function interrupt_;
    };

    class socket_wait;

    // A wait for another item, suspended until it is woken.
    class turn : public wait, public queued_hook {
      public:
        explicit turn(context& ctx) : wait(ctx, &turn::interrupt), on_(ctx.owner().executor_) {}
        async<> until_woken() {
            token none;
            return boost::asio::async_initiate<token, void()>(
                [this](handler h) { sleeper_.emplace(std::move(h)); }, none);
        }
        // Resumes the item through the io_context. Again is harmless.
        void wake();

      private:
        using handler = boost::asio::async_result<token, void()>::handler_type;
        static void interrupt(wait& w) { static_cast<turn&>(w).wake(); }

        executor on_;
        std::optional<handler> sleeper_;
    };

    // Turns in the order of their arrival; one that ends leaves by itself.
    class queue {
      public:
        void add(turn& t) { turns_.push_back(t); }
        static bool holds(const turn& t) { return t.queued_hook::is_linked(); }
        // Takes the first one out and wakes it; null if nobody waits.
        turn* wake_first() {
            if (turns_.empty()) return nullptr;
            turn& first = turns_.front();
            turns_.pop_front();
            first.wake();
            return &first;
        }

      private:
        boost::intrusive::list<turn, boost::intrusive::base_hook<queued_hook>,
                               boost::intrusive::constant_time_size<false>>
            turns_;
    };

    async<> run_batch(std::size_t n, job<context> item_job, const void* batch, policy rules,
                      const stop_state* outer);
    void interrupt_stopped();

    // An item that only waits takes 930 bytes in its coroutine frames.
    const waits_allowed waits_ = waits_within_limits(cost_of_waiting{.bytes = 2048});
    boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};  // one thread: Asio needs no locks
    executor executor_ = io_.get_executor();
    boost::intrusive::list<wait, boost::intrusive::base_hook<stoppable_hook>,
                           boost::intrusive::constant_time_size<false>>
        stoppable_;
};

// A released permit goes to the item that has waited longest. (Asio 1.74 has no semaphore of its own.)
class asio::semaphore {
  public:
    static constexpr discipline order = discipline::fifo;

    explicit semaphore(std::size_t permits) : free_(permits) {}

    async<permit> acquire(context& ctx) {
        check(ctx.stop());
        if (free_ > 0) {
            --free_;
            co_return permit(*this);
        }
        turn mine(ctx);
        waiting_.add(mine);
        auto woken = mine.until_woken();
        co_await std::move(woken);
        if (queue::holds(mine)) throw cancelled();
        co_return permit(*this);
    }

    void release() {
        if (!waiting_.wake_first()) ++free_;
    }

  private:
    std::size_t free_;
    queue waiting_;
};

// A bounded channel: a ring and two queues of turns. An element or a free place is handed to a waiter at
// once.
template <class T>
class asio::channel {
  public:
    static constexpr discipline order = discipline::fifo;

    channel(arena& memory, std::size_t capacity) : ring_(memory, capacity) {}

    async<bool> push(context& ctx, T value) {
        check(ctx.stop());
        if (closed_) co_return false;
        if (give(value)) co_return true;
        element_turn mine(ctx);
        mine.value = value;
        producers_.add(mine);
        auto woken = mine.until_woken();
        co_await std::move(woken);
        if (queue::holds(mine)) throw cancelled();
        co_return !mine.value;  // taken, or woken by close()
    }

    async<std::optional<T>> pop(context& ctx) {
        check(ctx.stop());
        std::optional<T> value = take();
        if (value || closed_) co_return value;
        element_turn mine(ctx);
        consumers_.add(mine);
        auto woken = mine.until_woken();
        co_await std::move(woken);
        if (queue::holds(mine)) throw cancelled();
        co_return mine.value;
    }

    void close() {
        closed_ = true;
        while (producers_.wake_first() || consumers_.wake_first()) {
        }
    }

  private:
    struct element_turn : turn {
        using turn::turn;
        std::optional<T> value;  // of a producer: what it has still to give; of a consumer: what it was given
    };

    bool give(const T& value) {
        if (auto* consumer = static_cast<element_turn*>(consumers_.wake_first())) {
            consumer->value = value;
            return true;
        }
        if (ring_.full()) return false;
        ring_.push(value);
        return true;
    }

    std::optional<T> take() {
        if (ring_.empty()) return std::nullopt;
        T value = ring_.pop();
        if (auto* producer = static_cast<element_turn*>(producers_.wake_first())) {
            give(*producer->value);
            producer->value.reset();
        }
        return value;
    }

    bounded_ring<T> ring_;
    bool closed_ = false;
    queue producers_;
    queue consumers_;
};

static_assert(runtime<asio> && verbs_are_explained<asio>());

}  // namespace crossover
