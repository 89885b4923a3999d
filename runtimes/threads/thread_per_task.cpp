// Starting, counting and waking the threads.
#include "runtimes/threads/thread_per_task.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <system_error>
#include <thread>
#include <vector>

#include "runtimes/contract/batch.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

namespace {

// Of the stack three pages are touched, and the kernel has one of 16 KiB; two mappings are stack and guard.
cost_of_waiting of_a_thread(std::size_t stack_bytes) {
    return {.bytes = 32 * 1024, .address_bytes = stack_bytes, .mappings = 2, .threads = 1};
}

}  // namespace

// Lies on the stack of whoever runs the batch, who joins every thread. Threads are joined as they end, or
// 100,000 ended ones would keep their stacks. Not detached: glibc's pthread_detach may look at a thread that
// has just gone.
class thread_per_task::running_batch {
  public:
    running_batch(const policy& rules, const stop_state* outer, job<context> item, const void* items_data,
                  std::size_t most_threads)
        : abandoned(stop_state::by_signal{}, outer),
          state(rules, &abandoned),
          item_job(item),
          data(items_data),
          most_(most_threads) {
        threads_.reserve(most_);
        ended_.reserve(most_);
    }
    ~running_batch() { join_all(); }
    running_batch(const running_batch&) = delete;
    running_batch& operator=(const running_batch&) = delete;

    // Runs body() on a thread of its own, once there is room for one more. Throws std::system_error.
    template <class Body>
    void start(Body body) {
        std::size_t place = free_place();
        threads_[place] = std::thread([this, place, body] {
            body();
            std::lock_guard lock(ending_);
            ended_.push_back(place);
            one_ended_.notify_one();
        });
        ++started_;
    }

    // After a start that failed. True once all bodies have ended, which it awaits for as long.
    bool all_end_within(std::chrono::milliseconds time) {
        std::unique_lock lock(ending_);
        return one_ended_.wait_for(lock, time, [this] { return ended_.size() == started_ - joined_; });
    }

    void join_all() {
        for (auto& thread : threads_)
            if (thread.joinable()) thread.join();
    }

    // Around the batch: the system gives no thread for an item that others may wait for.
    stop_state abandoned;
    batch_state state;
    const job<context> item_job;
    const void* const data;

  private:
    std::size_t free_place() {
        std::unique_lock lock(ending_);
        if (ended_.empty() && threads_.size() < most_) {
            threads_.emplace_back();
            return threads_.size() - 1;
        }
        one_ended_.wait(lock, [this] { return !ended_.empty(); });
        std::size_t place = ended_.back();
        ended_.pop_back();
        lock.unlock();
        threads_[place].join();
        ++joined_;
        return place;
    }

    const std::size_t most_;
    std::vector<std::thread> threads_;
    std::size_t started_ = 0;
    std::size_t joined_ = 0;
    std::mutex ending_;
    std::condition_variable one_ended_;
    std::vector<std::size_t> ended_;  // places in threads_
};

thread_per_task::listed_parker::listed_parker(thread_per_task& in) : in_(in) {
    std::lock_guard lock(in_.listing_);
    after_ = in_.first_;
    if (after_) after_->before_ = this;
    in_.first_ = this;
}

thread_per_task::listed_parker::~listed_parker() {
    std::lock_guard lock(in_.listing_);
    (before_ ? before_->after_ : in_.first_) = after_;
    if (after_) after_->before_ = before_;
}

thread_per_task::thread_per_task(const options&)
    : stack_bytes_(stack_bytes_of_threads()), waits_(waits_within_limits(of_a_thread(stack_bytes_))) {
    struct sigaction act {};
    act.sa_handler = [](int) {};  // without SA_RESTART: it ends system calls
    ::sigaction(SIGURG, &act, nullptr);
}

void thread_per_task::wake_blocked() {
    std::lock_guard lock(listing_);
    for (listed_parker* item_job = first_; item_job; item_job = item_job->after_) item_job->own.wake();
}

// The same for those in system calls that only a signal ends. It may come just before the call: repeat it.
void thread_per_task::interrupt_blocked() {
    std::lock_guard lock(listing_);
    for (listed_parker* item_job = first_; item_job; item_job = item_job->after_) {
        item_job->own.wake();
        ::pthread_kill(item_job->thread_, SIGURG);
    }
}

void thread_per_task::run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                                const stop_state* outer) {
    running_batch batch(rules, outer, item_job, data,
                        std::min({n, rules.in_flight, guaranteed_concurrency()}));
    try {
        for (std::size_t index = 0; index < n && !batch.state.stopped(); ++index)
            batch.start([this, &batch, index] { run_item(batch, index); });
    } catch (const std::system_error& e) {
        batch.abandoned.raise();
        do interrupt_blocked();
        while (!batch.all_end_within(std::chrono::milliseconds(10)));
        batch.join_all();
        refuse_worker(e.code().value(), "starting a thread for an item");
    }
    batch.join_all();
    batch.state.finish();
}

void thread_per_task::run_item(running_batch& batch, std::size_t index) {
    listed_parker here(*this);
    context ctx(*this, here.own, batch.state.stop());
    if (batch.state.stopped()) return;
    if (run_noted(batch.state, index, [&] { batch.item_job(ctx, batch.data, index).finish(); }))
        wake_blocked();
}

}  // namespace crossover
