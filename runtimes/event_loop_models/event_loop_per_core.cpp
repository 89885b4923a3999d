// Spreading the items of a batch over the loops, and ending them together.
#include "runtimes/event_loop_models/event_loop_per_core.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>

#include "runtimes/event_loop/combinators/job_batch.hpp"
#include "runtimes/event_loop/tasks/future.hpp"
#include "runtimes/event_loop_models/loop_batch.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// The items of one loop, every `step`-th from `first` on, and its messages: to start and to stop from the
// first loop or any other, that it has ended to the first.
class event_loop_per_core::share {
  public:
    share(spread_batch& all, asyncio::loop& on, job<context> item_job, const void* data, std::size_t n,
          std::size_t in_flight, std::size_t first, std::size_t step);

    void post_start() { on_.post(start_); }
    // From any thread, while the batch lasts.
    void post_stop() {
        if (!stop_posted_.exchange(true)) on_.post(stop_);
    }

    asyncio::coro<void> run();

  private:
    struct message : node {
        message(share& s, function f) : node(f), owner(s) {}
        share& owner;
    };
    static share& owner_of(node& n) { return static_cast<message&>(n).owner; }

    static asyncio::coro<void> start(void* self, std::size_t index);
    static void ended(void* self, std::size_t index, const std::exception_ptr& error);
    asyncio::coro<void> run_and_tell();

    spread_batch& all_;
    asyncio::loop& on_;
    job<context> each_;
    const void* data_;
    std::size_t first_;
    std::size_t step_;
    context context_;
    asyncio::job_batch jobs_;
    message start_;
    message stop_;
    message end_;
    std::atomic<bool> stop_posted_{false};
    bool stop_came_ = false;
};

// Lies on the stack of run().
class event_loop_per_core::spread_batch {
  public:
    spread_batch(const std::vector<std::unique_ptr<asyncio::loop>>& loops, const context& around,
                 std::size_t n, job<context> item_job, const void* data, const policy& rules)
        : state(rules, nullptr), outside(around), first_loop_(*loops.front()) {
        const std::size_t parts = std::min({n, rules.in_flight, loops.size()});
        for (std::size_t i = 0; i < parts; ++i) {
            const std::size_t items = n / parts + (i < n % parts ? 1 : 0);
            const std::size_t in_flight = rules.in_flight / parts + (i < rules.in_flight % parts ? 1 : 0);
            shares.push_back(
                std::make_unique<share>(*this, *loops[i], item_job, data, items, in_flight, i, parts));
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
    const context& outside;
    std::vector<std::unique_ptr<share>> shares;

  private:
    asyncio::loop& first_loop_;
    std::size_t to_end_ = 0;
    asyncio::future<void> others_ended_;
};

event_loop_per_core::share::share(spread_batch& all, asyncio::loop& on, job<context> item_job,
                                  const void* data, std::size_t n, std::size_t in_flight, std::size_t first,
                                  std::size_t step)
    : all_(all),
      on_(on),
      each_(item_job),
      data_(data),
      first_(first),
      step_(step),
      context_(all.outside, all.state.stop()),
      jobs_(n, in_flight, &start, &ended, this),
      start_(*this,
             [](node& m) {
                 share& s = owner_of(m);
                 static_cast<void>(s.on_.create_task(s.run_and_tell()));
             }),
      stop_(*this,
            [](node& m) {
                owner_of(m).stop_came_ = true;
                owner_of(m).jobs_.stop();
            }),
      end_(*this, [](node& m) { owner_of(m).all_.note_end(); }) {}

asyncio::coro<void> event_loop_per_core::share::start(void* self, std::size_t index) {
    auto& s = *static_cast<share*>(self);
    if (s.all_.state.stopped())
        [[unlikely]] {  // elsewhere, or its deadline has passed and the loop was too busy for the timer
        s.jobs_.stop();
        throw cancelled();
    }
    return s.each_(s.context_, s.data_, s.first_ + index * s.step_);
}

void event_loop_per_core::share::ended(void* self, std::size_t index, const std::exception_ptr& error) {
    auto& s = *static_cast<share*>(self);
    if (!looped::note_item(s.all_.state, s.first_ + index * s.step_, error)) return;
    s.jobs_.stop();
    for (const auto& other : s.all_.shares)
        if (other.get() != &s) other->post_stop();
}

asyncio::coro<void> event_loop_per_core::share::run() {
    // In this frame and not in the share: only this loop's thread may touch the timer, and another may
    // destroy the share.
    asyncio::timer_handle alarm;
    if (time_point deadline = all_.state.rules().deadline; deadline != never)
        alarm = asyncio::running_loop->call_at(deadline, [this] {
            all_.state.raise();
            jobs_.stop();
        });
    try {
        co_await jobs_;
    } catch (const asyncio::cancelled_error&) {
        alarm.cancel();
        throw cancelled();
    }
    alarm.cancel();
    // No stop is on its way any more when the batch goes.
    if (stop_posted_.exchange(true))
        while (!stop_came_) co_await asyncio::sleep(std::chrono::nanoseconds(0));
}

asyncio::coro<void> event_loop_per_core::share::run_and_tell() {
    co_await run();
    all_.first_loop().post(end_);
}

// --- The loops ---

event_loop_per_core::event_loop_per_core(const options& settings)
    : executor_(executor_threads(settings.cores)) {
    for (std::size_t i = 0; i < settings.cores; ++i) loops_.push_back(std::make_unique<asyncio::loop>());
    try {
        for (std::size_t i = 1; i < settings.cores; ++i)
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

void event_loop_per_core::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    const context outside(executor_);
    spread_batch all(loops_, outside, n, item_job, batch, rules);
    loops_.front()->run_until_complete(all.run());
}

}  // namespace crossover
