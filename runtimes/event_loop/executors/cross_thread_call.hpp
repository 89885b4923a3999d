// A call that another thread makes for a loop: how it starts, and how its result finds the loop or its end.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtimes/event_loop/tasks/future.hpp"

namespace crossover::asyncio {

// Made in the loop's thread, run in another, and back; whoever has it destroys it.
class cross_thread_call {
  public:
    cross_thread_call() = default;
    cross_thread_call(const cross_thread_call&) = delete;
    cross_thread_call& operator=(const cross_thread_call&) = delete;
    virtual ~cross_thread_call() = default;

    // In the other thread; what it throws is kept for deliver().
    virtual void run() noexcept = 0;
    // In the loop's thread: hands the result to the future, or cancels it if the call was never made.
    virtual void deliver() noexcept = 0;
    // In the loop's thread: nobody will ever want the result. May come while another thread runs the call.
    virtual void disown() noexcept = 0;

    // The loop's list of calls that are out; of the loop's thread only.
    cross_thread_call* next_out = nullptr;
    cross_thread_call* previous_out = nullptr;
};

// Shared by a loop and those who make calls for it in other threads; outlives both.
class loop_link {
  public:
    explicit loop_link(loop& l) noexcept : loop_(&l) {}

    // From any thread, also when the loop has closed.
    void give_back(std::unique_ptr<cross_thread_call> call) noexcept;

    // In the loop's thread: `disown_all` is called while nobody gives back; from then on what is given back
    // is destroyed.
    template <class F>
    void cut(F disown_all) noexcept {
        const std::lock_guard guard(lock_);
        disown_all();
        loop_ = nullptr;
        late_.clear();
    }

  private:
    std::mutex lock_;
    loop* loop_;
    std::vector<std::unique_ptr<cross_thread_call>> late_;  // came back while the loop was closing
};

// The calls of a loop that are out.
class cross_thread_calls final : public loop::service {
  public:
    explicit cross_thread_calls(loop& l) : link_(std::make_shared<loop_link>(l)) {}
    ~cross_thread_calls() override;

    const std::shared_ptr<loop_link>& link() const noexcept { return link_; }
    void add(cross_thread_call& c) noexcept;
    void remove(cross_thread_call& c) noexcept;

  private:
    std::shared_ptr<loop_link> link_;
    cross_thread_call* first_ = nullptr;
};

// Runs f(args...) and keeps what comes out.
template <class R, class F>
class bound_cross_thread_call final : public cross_thread_call {
  public:
    bound_cross_thread_call(loop& l, F f)
        : result_(l), calls_(&l.use<cross_thread_calls>()), function_(std::move(f)) {
        calls_->add(*this);
    }
    ~bound_cross_thread_call() override {
        if (result_) calls_->remove(*this);
    }

    const future<R>& result() const noexcept { return result_; }

    void run() noexcept override {
        made_ = true;
        try {
            if constexpr (std::is_void_v<R>)
                function_();
            else
                value_.emplace(function_());
        } catch (...) {
            error_ = std::current_exception();
        }
    }
    void deliver() noexcept override {
        if (!result_ || result_.done()) return;
        if (!made_)
            result_.cancel();
        else if (error_)
            result_.set_exception(std::move(error_));
        else if constexpr (std::is_void_v<R>)
            result_.set_result();
        else
            result_.set_result(std::move(*value_));
    }
    void disown() noexcept override {
        calls_->remove(*this);
        result_ = future<R>();
    }

  private:
    future<R> result_;  // empty once disowned; of the loop's thread only
    cross_thread_calls* calls_;
    F function_;
    std::optional<stored<R>> value_;
    std::exception_ptr error_;
    bool made_ = false;
};

// f with its arguments, to be called once.
template <class F, class... Args>
auto call_later_with(F&& f, Args&&... args) {
    return [function = std::decay_t<F>(std::forward<F>(f)),
            arguments = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable {
        return std::apply([&](auto&... a) { return std::invoke(std::move(function), std::move(a)...); },
                          arguments);
    };
}

}  // namespace crossover::asyncio
