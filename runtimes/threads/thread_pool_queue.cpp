// Pushing and popping, waiting for nested batches, and waking who is blocked.
#include "runtimes/threads/thread_pool_queue.hpp"

#include <functional>
#include <new>
#include <system_error>
#include <utility>

#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// Lies on the stack of whoever runs the batch, who stays until every item has ended. From `place` on it is
// under the pool's lock.
struct thread_pool_queue::running_batch {
    running_batch(job<context> item, const void* items_data, const policy& rules, const stop_state* outer)
        : item_job(item), data(items_data), state(rules, outer) {}

    job<context> item_job;
    const void* data;
    batch_state state;

    // Its place in the pool's line, in which it stands while there is a task in its queue.
    std::list<running_batch*> place{this};
    const std::list<running_batch*>::iterator here = place.begin();
    // A queue of its own, because its owner may run nothing else while it waits; the workers that have
    // nothing to wait for take from the oldest batch, so that over all it is first in, first out.
    std::queue<std::function<void(worker&)>> tasks;
    std::size_t unended = 0;  // pushed, and not yet at their end
    std::size_t awaited = 0;  // at how many of those the owner wants to be woken
    std::condition_variable ended;
};

// --- What items wait for ---

thread_pool_queue::context::context(worker& on, const stop_state* stop) : verbs(on.own, stop), on_(on) {}

thread_pool_queue::blocked::blocked(context& ctx, std::mutex& under, std::condition_variable& until)
    : stop_(ctx.stop()), on_(ctx.on_), lock_(under), changed_(until) {
    if (!stop_) return;
    const std::lock_guard guard(on_.interrupting_);
    on_.in_ = this;
}

thread_pool_queue::blocked::~blocked() {
    if (!stop_) return;
    const std::lock_guard guard(on_.interrupting_);
    on_.in_ = nullptr;
}

void thread_pool_queue::blocked::wait_or_throw(lock& guard) {
    if (stop_->over()) {
        changed_.notify_one();  // the call may have been meant for another
        throw cancelled();
    }
    const time_point latest = stop_->deadline();
    if (latest == never)
        changed_.wait(guard);
    else
        changed_.wait_until(guard, latest);
}

// After a batch was stopped. A wait for another batch only looks up.
void thread_pool_queue::worker::interrupt() {
    own.wake();
    const std::lock_guard guard(interrupting_);
    if (!in_) return;
    { const std::lock_guard looks(in_->lock_); }  // it has seen the stop, or is asleep by now
    in_->changed_.notify_all();
}

// --- The pool ---

thread_pool_queue::thread_pool_queue(const options& settings) {
    for (std::size_t i = 0; i < settings.cores; ++i) workers_.push_back(std::make_unique<worker>(*this));
    try {
        for (auto& each : workers_) threads_.emplace_back([this, &self = *each] { work(self); });
    } catch (const std::system_error& e) {
        stop_threads();
        refuse_worker(e.code().value(), "starting a thread of the pool");
    }
}

thread_pool_queue::~thread_pool_queue() { stop_threads(); }

resource_use thread_pool_queue::resources() const {
    return {workers_.size() + 1, 1, stack_bytes_of_threads()};
}

void thread_pool_queue::stop_threads() {
    {
        const std::lock_guard guard(lock_);
        closing_ = true;
    }
    pushed_.notify_all();
    for (std::thread& each : threads_) each.join();
}

void thread_pool_queue::work(worker& self) {
    lock guard(lock_);
    for (;;) {
        pushed_.wait(guard, [this] { return closing_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        run_next(self, *waiting_.front(), guard);
    }
}

void thread_pool_queue::push(running_batch& to, std::size_t index) {
    to.tasks.emplace([&to, index](worker& on) { on.pool.run_item(on, to, index); });
    if (to.tasks.size() == 1) waiting_.splice(waiting_.end(), to.place);
    ++to.unended;
}

// Pops the first task of the batch, and lets go of the lock while it runs. The batch may be gone afterwards.
void thread_pool_queue::run_next(worker& self, running_batch& from, lock& guard) {
    const std::function<void(worker&)> task = std::move(from.tasks.front());
    from.tasks.pop();
    if (from.tasks.empty()) from.place.splice(from.place.end(), waiting_, from.here);
    guard.unlock();
    task(self);
    guard.lock();
    if (--from.unended == from.awaited) from.ended.notify_one();
}

void thread_pool_queue::run_item(worker& self, running_batch& of, std::size_t index) {
    if (of.state.stopped()) return;
    context ctx(self, of.state.stop());
    if (run_noted(of.state, index, [&] { of.item_job(ctx, of.data, index).finish(); }))
        for (auto& each : workers_) each->interrupt();
}

// Waits until no more than so many items of the batch have still to end. A worker that slept meanwhile would
// bring the pool to a halt once all of them waited for nested batches, as it does in many a textbook: so it
// runs what it waits for. And nothing else: any other item may need what the items below on its stack hold.
void thread_pool_queue::await(running_batch& own, std::size_t unended, worker* self, lock& guard) {
    own.awaited = unended;
    while (own.unended > unended) {
        if (self && !own.tasks.empty())
            run_next(*self, own, guard);
        else
            own.ended.wait(guard);
    }
}

void thread_pool_queue::run_batch(std::size_t n, job<context> item_job, const void* data, const policy& rules,
                                  const stop_state* outer, worker* self) {
    running_batch batch(item_job, data, rules, outer);
    // No more items can be alive than there are workers, so that a bound of more needs no waiting.
    const std::size_t most = rules.in_flight < workers_.size() ? rules.in_flight : unlimited;
    lock guard(lock_);
    try {
        for (std::size_t i = 0; i < n && !batch.state.stopped(); ++i) {
            await(batch, most - 1, self, guard);
            push(batch, i);
            guard.unlock();
            pushed_.notify_one();
            guard.lock();
        }
    } catch (const std::bad_alloc&) {
        await(batch, 0, self, guard);
        throw;
    }
    await(batch, 0, self, guard);
    guard.unlock();
    batch.state.finish();
}

blocking::ready<> thread_pool_queue::context::run(std::size_t n, job<context> item_job, const void* batch,
                                                  policy rules) {
    check(stop());
    on_.pool.run_batch(n, item_job, batch, rules, stop(), &on_);
    return {};
}

}  // namespace crossover
