// process_executor: functions called in other processes; run_in_executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>

#include "runtimes/event_loop/executors/codec.hpp"
#include "runtimes/event_loop/tasks/coro.hpp"
#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

class worker_supervisor;

// A worker died: its call, all that were waiting and all that come later end so.
class broken_process_pool : public std::runtime_error {
  public:
    explicit broken_process_pool(const std::string& what, int signal = 0)
        : std::runtime_error(what), signal_(signal) {}
    // That killed the worker which was making this very call; 0: none.
    int signal() const noexcept { return signal_; }

  private:
    int signal_;
};

// There is no worker for a call, because the system refused to start one: `error` is an errno.
class no_worker : public broken_process_pool {
  public:
    explicit no_worker(const std::system_error& e)
        : broken_process_pool(std::string("no worker: ") + e.what()), error_(e.code().value()) {}
    int error() const noexcept { return error_; }

  private:
    int error_;
};

// What a function threw in another process, as text.
class remote_error : public std::runtime_error {
  public:
    remote_error(const std::string& type, const std::string& what)
        : std::runtime_error(type + ": " + what), type_(type) {}
    const std::string& type() const noexcept { return type_; }  // its name in the source

  private:
    std::string type_;
};

class process_executor_options {
  public:
    process_executor_options() {}
    std::size_t max_tasks_per_child = 0;  // a worker is replaced after so many calls; 0: never
    // Forks the workers, as copies of the process in which it was made; null: one of the executor's own. Thus
    // a broken executor can be replaced when there are threads already.
    std::shared_ptr<worker_supervisor> supervisor;
};

// The workers are copies of this process as it is when the executor is made (fork): make it early, before
// other threads exist that may hold locks. They are started on demand, and die with the executor or with this
// process. Belongs to the loop in which it is made.
class process_executor {
  public:
    // Throws std::system_error.
    explicit process_executor(std::size_t most_workers = default_size(),
                              const process_executor_options& options = process_executor_options());
    process_executor(const process_executor&) = delete;
    process_executor& operator=(const process_executor&) = delete;
    // Kills the workers; what is not done yet ends cancelled.
    ~process_executor();

    // The processors that may be used.
    static std::size_t default_size();

    std::size_t workers() const noexcept;
    bool broken() const noexcept;

    // Takes no more calls and returns when all have been made; `cancel_queued`: when those have that a worker
    // has begun, and the others are cancelled.
    coro<void> shutdown(bool cancel_queued = false);

    // In the worker: reads arguments, appends the result.
    using entry = void (*)(std::uintptr_t function, std::string_view arguments, std::string& result);
    // In the loop: the bytes of the result, or why there are none. `owner` keeps the future.
    class pending_call {
      public:
        pending_call() = default;
        pending_call(const pending_call&) = delete;
        pending_call& operator=(const pending_call&) = delete;
        virtual ~pending_call() = default;
        virtual bool wanted() const noexcept = 0;
        virtual void succeed(std::string_view result) = 0;
        virtual void fail(std::exception_ptr e) = 0;
        virtual void cancel() = 0;

        std::string request;
    };
    // Throws broken_process_pool, or std::runtime_error after shutdown().
    void submit(std::unique_ptr<pending_call> call);

  private:
    struct state;
    std::shared_ptr<state> state_;
};

template <class R, class... Args>
struct process_call {
    using arguments = std::tuple<std::decay_t<Args>...>;

    static void enter(std::uintptr_t function, std::string_view bytes, std::string& result) {
        const auto f = reinterpret_cast<R (*)(Args...)>(function);
        arguments a = codec<arguments>::read(bytes);
        if constexpr (std::is_void_v<R>)
            std::apply(f, std::move(a));
        else
            codec<std::decay_t<R>>::write(result, std::apply(f, std::move(a)));
    }

    class pending final : public process_executor::pending_call {
      public:
        explicit pending(loop& l) : result(l) {}
        bool wanted() const noexcept override { return !result.done(); }
        void succeed(std::string_view bytes) override {
            if (result.done()) return;
            if constexpr (std::is_void_v<R>) {
                result.set_result();
            } else {
                try {
                    result.set_result(codec<std::decay_t<R>>::read(bytes));
                } catch (...) {
                    result.set_exception(std::current_exception());
                }
            }
        }
        void fail(std::exception_ptr e) override {
            if (!result.done()) result.set_exception(std::move(e));
        }
        void cancel() override { result.cancel(); }
        const future<std::decay_t<R>> result;
    };
};

// Calls the function in a worker. What cannot be written or read fails this call alone. Cancelling the future
// keeps a call that has not begun from being made.
template <class R, class... Args, class... Given>
requires(sizeof...(Args) == sizeof...(Given)) auto run_in_executor(process_executor& executor,
                                                                   R (*function)(Args...), Given&&... args) {
    using call_type = process_call<R, Args...>;
    auto call = std::make_unique<typename call_type::pending>(get_running_loop());
    auto result = call->result;
    try {
        std::string& request = call->request;
        codec<std::uintptr_t>::write(request, reinterpret_cast<std::uintptr_t>(&call_type::enter));
        codec<std::uintptr_t>::write(request, reinterpret_cast<std::uintptr_t>(function));
        const typename call_type::arguments given(std::forward<Given>(args)...);
        codec<typename call_type::arguments>::write(request, given);
    } catch (...) {
        result.set_exception(std::current_exception());
        return result;
    }
    executor.submit(std::move(call));
    return result;
}

}  // namespace crossover::asyncio
