// Spreading the items of a batch over the loops, and ending them together.
#include "runtimes/event_loop_per_core.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

#include "runtimes/event_loop/future.hpp"
#include "runtimes/limits.hpp"

namespace crossover {

// --- The items of one loop
// -------------------------------------------------------------------------------------

asyncio::coro<void> event_loop_per_core::part::start(void* self, std::size_t index) {
    auto& p = *static_cast<part*>(self);
    if (p.state_.stopped())
        [[unlikely]] {  // elsewhere, or its deadline has passed and the loop was too busy for the timer
        p.jobs_.stop();
        throw cancelled();
    }
    return p.each_(p.context_, p.data_, p.first_ + index * p.step_);
}

void event_loop_per_core::part::ended(void* self, std::size_t index, const std::exception_ptr& error) {
    auto& p = *static_cast<part*>(self);
    const bool stops = run_noted(p.state_, p.first_ + index * p.step_, [&] {
        if (!error) return;
        try {
            std::rethrow_exception(error);
        } catch (const asyncio::cancelled_error&) {
            throw cancelled();
        }
    });
    if (!stops) return;
    p.jobs_.stop();
    p.stop_others();
}

void event_loop_per_core::part::await_suspend(std::coroutine_handle<> h) {
    if (time_point deadline = state_.rules().deadline; deadline != never)
        alarm_ = asyncio::running_loop->call_at(deadline, [this] {
            state_.raise();
            jobs_.stop();
        });
    jobs_.await_suspend(h);
}

void event_loop_per_core::part::await_resume() {
    // Here and not in the destructor: only this loop's thread may touch the timer, and another may destroy
    // the part.
    alarm_.cancel();
    alarm_ = {};
    try {
        jobs_.await_resume();
    } catch (const asyncio::cancelled_error&) {
        throw cancelled();
    }
}

// --- A batch on all loops
// --------------------------------------------------------------------------------------

// The part of one loop, and its messages: to start and to stop from the first loop or any other, that it has
// ended to the first.
class event_loop_per_core::share : public part {
  public:
    share(spread_batch& all, asyncio::loop& on, job<context> each, const void* data, std::size_t n,
          std::size_t in_flight, std::size_t first, std::size_t step);

    void post_start() { on_.post(start_); }
    // From any thread, while the batch lasts.
    void post_stop() {
        if (!stop_posted_.exchange(true)) on_.post(stop_);
    }

    asyncio::coro<void> run() {
        part& items = *this;
        co_await items;
        // No stop is on its way any more when the batch goes.
        if (stop_posted_.exchange(true))
            while (!stop_came_) co_await asyncio::sleep(std::chrono::nanoseconds(0));
    }

  private:
    struct message : node {
        message(share& s, function f) : node(f), owner(s) {}
        share& owner;
    };
    static share& owner_of(node& n) { return static_cast<message&>(n).owner; }

    void stop_others() override;
    asyncio::coro<void> run_and_tell();

    spread_batch& all_;
    asyncio::loop& on_;
    message start_;
    message stop_;
    message end_;
    std::atomic<bool> stop_posted_{false};
    bool stop_came_ = false;
};

// Lies on the stack of run().
class event_loop_per_core::spread_batch {
  public:
    spread_batch(const std::vector<std::unique_ptr<asyncio::loop>>& loops, asyncio::thread_executor& beside,
                 std::size_t n, job<context> each, const void* data, const policy& rules)
        : state(rules, nullptr), executor(beside), first_loop_(*loops.front()) {
        const std::size_t parts = std::min({n, rules.in_flight, loops.size()});
        for (std::size_t i = 0; i < parts; ++i) {
            const std::size_t items = n / parts + (i < n % parts ? 1 : 0);
            const std::size_t in_flight = rules.in_flight / parts + (i < rules.in_flight % parts ? 1 : 0);
            shares.push_back(
                std::make_unique<share>(*this, *loops[i], each, data, items, in_flight, i, parts));
        }
        to_end_ = shares.size();
    }

    asyncio::coro<void> run() {
        if (shares.empty()) co_return state.finish();
        others_ended_ = first_loop_.create_future<void>();
        for (std::size_t i = 1; i < shares.size(); ++i) shares[i]->post_start();
        co_await shares.front()->run();
        note_end();
        co_await others_ended_;
        state.finish();
    }

    asyncio::loop& first_loop() { return first_loop_; }

    // On the first loop: a share has ended.
    void note_end() {
        if (--to_end_ == 0) others_ended_.set_result();
    }

    batch_state state;
    asyncio::thread_executor& executor;
    std::vector<std::unique_ptr<share>> shares;

  private:
    asyncio::loop& first_loop_;
    std::size_t to_end_ = 0;
    asyncio::future<void> others_ended_;
};

event_loop_per_core::share::share(spread_batch& all, asyncio::loop& on, job<context> each, const void* data,
                                  std::size_t n, std::size_t in_flight, std::size_t first, std::size_t step)
    : part(all.state, all.executor, each, data, n, in_flight, first, step),
      all_(all),
      on_(on),
      start_(*this,
             [](node& m) {
                 share& s = owner_of(m);
                 static_cast<void>(s.on_.create_task(s.run_and_tell()));
             }),
      stop_(*this,
            [](node& m) {
                owner_of(m).stop_came_ = true;
                owner_of(m).stop();
            }),
      end_(*this, [](node& m) { owner_of(m).all_.note_end(); }) {}

void event_loop_per_core::share::stop_others() {
    for (const auto& other : all_.shares)
        if (other.get() != this) other->post_stop();
}

asyncio::coro<void> event_loop_per_core::share::run_and_tell() {
    co_await run();
    all_.first_loop().post(end_);
}

// --- The loops
// -------------------------------------------------------------------------------------------------

event_loop_per_core::event_loop_per_core(const options& with) : executor_(executor_threads(with.cores)) {
    for (std::size_t i = 0; i < with.cores; ++i) loops_.push_back(std::make_unique<asyncio::loop>());
    try {
        for (std::size_t i = 1; i < with.cores; ++i)
            threads_.emplace_back([this, i] { loops_[i]->run_forever(); });
    } catch (const std::system_error& e) {
        stop_threads();
        refuse_worker(e.code().value(), "starting a thread for a loop");
    }
}

event_loop_per_core::~event_loop_per_core() { stop_threads(); }

void event_loop_per_core::stop_threads() {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        asyncio::loop& l = *loops_[i + 1];
        l.call_soon_threadsafe([&l] { l.stop(); });
        threads_[i].join();
    }
}

void event_loop_per_core::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    spread_batch all(loops_, executor_, n, each, batch, rules);
    loops_.front()->run_until_complete(all.run());
}

}  // namespace crossover
