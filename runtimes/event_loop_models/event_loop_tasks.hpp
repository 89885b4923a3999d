// event_loop_tasks: each item is a task of our event loop, as asyncio's users write it: create_task, gather
// and task_group, semaphores, queues and streams.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "runtimes/contract/discipline.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop/io/stream.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop_models/loop_model.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"

namespace crossover {

// One scheduled task = one task of the loop. All tasks of a batch are made at once; where fewer may be in
// flight they wait for a semaphore.
class event_loop_tasks : public looped::of_the_family {
  public:
    class stream;
    template <class T>
    class channel;

    class context : public looped::verbs {
      public:
        using stream = event_loop_tasks::stream;
        template <class T>
        using channel = event_loop_tasks::channel<T>;

        context() = default;
        context(const context& around, const stop_state* stop) : verbs(around, stop) {}

        asyncio::coro<stream> connect(endpoint to, time_point deadline = never);
        asyncio::coro<void> run(std::size_t n, job<context> item_job, const void* data, policy rules);
    };

    static constexpr std::string_view name = "event_loop_tasks";
    static constexpr std::string_view variant_of = "event_loop";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::offload:
                return one_thread;
            case verb::read:
                return "a file cannot be waited for in epoll, and there is no second thread to read it";
            default:
                return "";
        }
    }

    explicit event_loop_tasks(const options&) {}

    resource_use resources() const { return {}; }

    void run(std::size_t n, job<context> item_job, const void* data, policy rules) {
        loop_.run_until_complete(outside_.run(n, item_job, data, rules));
    }

  private:
    struct batch;
    static asyncio::coro<void> item(batch& of, std::size_t index);
    static std::vector<asyncio::coro<void>> items(batch& all, std::size_t n);
    static asyncio::coro<void> grouped(batch& all, std::size_t n);

    asyncio::loop loop_;
    context outside_;
};

// What open_connection() gives.
class event_loop_tasks::stream {
  public:
    explicit stream(asyncio::stream_pair ends)
        : ends_(std::make_unique<asyncio::stream_pair>(std::move(ends))) {}
    stream(stream&&) = default;
    stream& operator=(stream&&) = default;
    ~stream() { close(); }

    asyncio::coro<std::size_t> read_some(context& ctx, std::span<std::byte> into,
                                         time_point deadline = never);
    asyncio::coro<void> write_all(context& ctx, std::span<const std::byte> from, time_point deadline = never);
    // Aborts the connection (linger 0) unless the peer has closed it.
    void close();

  private:
    asyncio::stream_pair& ends() const { return *ends_; }

    std::unique_ptr<asyncio::stream_pair> ends_;
};

// A queue that is shut down when it is closed. Who is woken in it looks again, and a newcomer may have been
// faster.
template <class T>
class event_loop_tasks::channel {
    using queue = asyncio::queue<T>;
    using put = looped::in_contract<typename queue::put_wait>;
    using get = looped::in_contract<typename queue::get_wait>;

  public:
    static constexpr discipline order = discipline::barging;

    channel(arena&, std::size_t capacity) : queue_(capacity) {}

    class push_wait : put {
      public:
        using put::await_ready, put::await_suspend, put::put;
        bool await_resume() {
            try {
                put::await_resume();
                return true;
            } catch (const asyncio::queue_shut_down&) {
                return false;
            }
        }
    };

    class pop_wait : get {
      public:
        using get::await_ready, get::await_suspend, get::get;
        std::optional<T> await_resume() {
            try {
                return get::await_resume();
            } catch (const asyncio::queue_shut_down&) {
                return std::nullopt;
            }
        }
    };

    push_wait push(context& ctx, T value) {
        check(ctx.stop());
        return push_wait(queue_, value);
    }
    pop_wait pop(context& ctx) {
        check(ctx.stop());
        return pop_wait(queue_);
    }
    void close() { queue_.shutdown(); }

  private:
    queue queue_;
};

static_assert(runtime<event_loop_tasks> && verbs_are_explained<event_loop_tasks>());

}  // namespace crossover
