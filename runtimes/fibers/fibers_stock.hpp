// fibers_stock: each item is a Boost.Fiber on one thread, with the library's own scheduler, locks, channels
// and stacks, as its manual shows.
#pragma once

#include <bit>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/mutex.hpp>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "runtimes/blocking/async.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/discipline.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/permit.hpp"

namespace crossover {

// One scheduled task = one detached fiber, created with launch::dispatch, as in the library's own skynet. Its
// stack is what the library gives by default: 128 KiB from malloc.
class fibers_stock {
  public:
    using mutex = boost::fibers::mutex;
    using condition = boost::fibers::condition_variable;
    using lock = std::unique_lock<mutex>;

    class context;
    class semaphore;
    using permit = crossover::permit<semaphore>;
    template <class T>
    class channel;

    // A TCP connection owned by one item.
    class stream {
      public:
        explicit stream(boost::asio::io_context& in) : socket_(in) {}
        stream(stream&&) = default;
        stream& operator=(stream&& other) noexcept {
            std::swap(socket_, other.socket_);
            std::swap(ended_, other.ended_);
            return *this;
        }
        ~stream() { close(); }

        blocking::ready<std::size_t> read_some(context& ctx, std::span<std::byte> into,
                                               time_point deadline = never);
        blocking::ready<> write_all(context& ctx, std::span<const std::byte> from,
                                    time_point deadline = never);
        // Aborts the connection (linger 0) unless the peer has closed it.
        void close();

      private:
        friend class context;
        boost::asio::ip::tcp::socket socket_;
        bool ended_ = false;
    };

    class context {
      public:
        template <class T>
        using async = blocking::async<T>;
        using task = async<void>;
        using stream = fibers_stock::stream;
        using semaphore = fibers_stock::semaphore;
        template <class T>
        using channel = fibers_stock::channel<T>;

        context(fibers_stock& owner, const stop_state* stop) : owner_(owner), stop_(stop) {}

        blocking::ready<> sleep_for(std::chrono::nanoseconds time);
        blocking::ready<stream> connect(endpoint to, time_point deadline = never);
        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);
        blocking::ready<> yield();

        const stop_state* stop() const { return stop_; }

        // Waits until `ready()`; false if the time is over or the batch was stopped before.
        template <class Ready>
        bool wait(lock& held, condition& on, Ready ready, time_point latest = never);

        // Begins an operation of the socket with a handler and waits for that. Returns how many bytes it
        // moved.
        template <class Begin>
        std::size_t complete(boost::asio::ip::tcp::socket& on, time_point deadline, const char* what,
                             Begin begin);

      private:
        fibers_stock& owner_;
        const stop_state* stop_;
    };

    static constexpr std::string_view name = "fibers_stock";
    static constexpr std::string_view variant_of = "fibers";
    static constexpr std::string_view family = "fibers";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::offload:
                return "has one thread only: see fibers_multi";
            case verb::read:
                return "a file cannot be waited for in epoll, and there is no second thread to read it";
            default:
                return "";
        }
    }

    explicit fibers_stock(const options&);
    ~fibers_stock();
    fibers_stock(const fibers_stock&) = delete;
    fibers_stock& operator=(const fibers_stock&) = delete;

    std::size_t guaranteed_concurrency() const { return waits_.guaranteed_concurrency; }
    const std::string& concurrency_limit() const { return waits_.limit; }
    resource_use resources() const {
        return {1, 1, boost::fibers::default_stack::traits_type::default_size()};
    }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        run_batch(n, item_job, batch, rules, nullptr);
    }

  private:
    class scheduler;

    // malloc has touched the lower end of a stack, a waiting item two or three pages of the upper.
    static constexpr std::size_t touched_pages = 4;

    void run_batch(std::size_t n, job<context> item_job, const void* batch, const policy& rules,
                   const stop_state* outer);

    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> open_ = make_work_guard(io_);
    boost::asio::steady_timer alarm_;  // rings when the first of the sleeping fibers is due
    std::list<condition*> stoppable_;  // on which fibers wait whose batch may be stopped
    const waits_allowed waits_ = waits_within_limits(
        cost_of_waiting{.bytes = touched_pages * page_bytes(),
                        .address_bytes = boost::fibers::default_stack::traits_type::default_size()});
    std::size_t alive_ = 0;  // fibers of all batches: a tree of them grows broad
};

// A fiber that waits cannot be interrupted, so a stop notifies what it waits on.
template <class Ready>
bool fibers_stock::context::wait(lock& held, condition& on, Ready ready, time_point latest) {
    if (!stop_ && latest == never) {
        on.wait(held, ready);
        return true;
    }
    std::list<condition*>& listed = owner_.stoppable_;
    const auto place = stop_ ? listed.insert(listed.end(), &on) : listed.end();
    latest = std::min(latest, stop_ ? stop_->deadline() : never);
    const auto over = [&] { return ready() || (stop_ && stop_->over()); };
    if (latest == never)
        on.wait(held, over);
    else
        on.wait_until(held, latest, over);
    if (stop_) listed.erase(place);
    return ready();
}

// As one builds it from a mutex and a condition variable: a newcomer may be faster than who was woken.
class fibers_stock::semaphore {
  public:
    static constexpr discipline order = discipline::barging;

    explicit semaphore(std::size_t permits) : free_(permits) {}

    blocking::ready<permit> acquire(context& ctx) {
        check(ctx.stop());
        lock held(mutex_);
        if (!ctx.wait(held, released_, [this] { return free_ != 0; })) throw cancelled();
        --free_;
        return blocking::ready<permit>(permit(*this));
    }

    void release() {
        {
            const lock held(mutex_);
            ++free_;
        }
        released_.notify_one();
    }

  private:
    mutex mutex_;
    condition released_;
    std::size_t free_;
};

// The library's own, whose slots are a power of two of which one stays empty: never more room than asked for.
template <class T>
class fibers_stock::channel {
  public:
    static constexpr discipline order = discipline::barging;

    channel(arena&, std::size_t capacity) : inner_(std::bit_floor(capacity + 1)) {}

    blocking::ready<bool> push(context& ctx, T value) {
        const auto how = until_stopped(
            ctx, [&] { return inner_.push(value); }, [&] { return inner_.push_wait_for(value, patience); });
        return blocking::ready<bool>(how == status::success);
    }

    blocking::ready<std::optional<T>> pop(context& ctx) {
        T value{};
        const auto how = until_stopped(
            ctx, [&] { return inner_.pop(value); }, [&] { return inner_.pop_wait_for(value, patience); });
        return blocking::ready(how == status::success ? std::optional<T>(value) : std::nullopt);
    }

    void close() { inner_.close(); }

  private:
    using status = boost::fibers::channel_op_status;

    // Nothing but close() ends a wait in it: where the batch may be stopped, somebody has to look.
    static constexpr std::chrono::milliseconds patience{5};

    template <class Wait, class WaitAWhile>
    static status until_stopped(context& ctx, Wait wait, WaitAWhile wait_a_while) {
        if (!ctx.stop()) return wait();
        status how;
        do check(ctx.stop());
        while ((how = wait_a_while()) == status::timeout);
        return how;
    }

    boost::fibers::buffered_channel<T> inner_;
};

static_assert(runtime<fibers_stock> && verbs_are_explained<fibers_stock>());

}  // namespace crossover
