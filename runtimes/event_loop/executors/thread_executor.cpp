// Threads that make blocking calls for a loop.
#include "runtimes/event_loop/executors/thread_executor.hpp"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <stdexcept>
#include <thread>
#include <vector>

#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/system/process_mark.hpp"

namespace crossover::asyncio {

struct thread_executor::state {
    struct order {
        std::unique_ptr<cross_thread_call> call;
        std::shared_ptr<loop_link> to;
    };

    explicit state(std::size_t most) : most_threads(most) {}
    const process_mark mark;  // in a child there are no such threads, and one may have held the lock
    void serve() noexcept;
    std::unique_ptr<cross_thread_call> take_back(const cross_thread_call& call);

    const std::size_t most_threads;
    std::mutex lock;
    std::condition_variable work;   // an order has come, or the end
    std::condition_variable ended;  // a thread has
    std::deque<order> queue;
    std::vector<std::thread> threads;
    std::size_t waiting = 0;
    std::size_t alive = 0;
    bool closed = false;
};

void thread_executor::state::serve() noexcept {
    std::unique_lock guard(lock);
    for (;;) {
        ++waiting;
        while (queue.empty() && !closed) work.wait(guard);
        --waiting;
        if (queue.empty()) break;
        order next = std::move(queue.front());
        queue.pop_front();
        guard.unlock();
        next.call->run();
        next.to->give_back(std::move(next.call));
        next.to.reset();
        guard.lock();
    }
    --alive;
    ended.notify_all();
}

std::size_t thread_executor::default_size() {
    cpu_set_t allowed;
    const std::size_t processors = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0
                                       ? static_cast<std::size_t>(CPU_COUNT(&allowed))
                                       : std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
    return std::min<std::size_t>(processors + 4, 32);
}

thread_executor::thread_executor(std::size_t most_threads)
    : state_(std::make_shared<state>(std::max<std::size_t>(most_threads, 1))) {}

thread_executor::~thread_executor() {
    if (state_->mark.of_this_process())
        shutdown();
    else
        new std::shared_ptr<state>(std::move(state_));  // there is nobody to wait for
}

std::size_t thread_executor::threads() const {
    const std::lock_guard guard(state_->lock);
    return state_->alive;
}

void thread_executor::submit(std::unique_ptr<cross_thread_call> call, std::shared_ptr<loop_link> to) {
    state& s = *state_;
    if (!s.mark.of_this_process())
        throw std::runtime_error(
            "the executor's threads are the parent's of a fork(): make one in the child");
    const std::lock_guard guard(s.lock);
    if (s.closed) throw std::runtime_error("the executor is shut down: it takes no more calls");
    s.queue.push_back({std::move(call), std::move(to)});
    // One that was notified and has not run yet still counts as waiting, and its call as queued.
    if (s.queue.size() <= s.waiting) {
        s.work.notify_one();
    } else if (s.alive < s.most_threads) {
        try {
            s.threads.emplace_back([mine = state_] { mine->serve(); });
        } catch (...) {
            if (s.alive > 0) return;  // later, by those there are
            s.queue.pop_back();
            throw;
        }
        ++s.alive;
    }
}

// Takes a call back when its future is cancelled, if no thread has begun it.
struct thread_executor::withdrawal : completion {
    withdrawal(std::weak_ptr<state> s, const cross_thread_call& c)
        : completion(&on_done), executor(std::move(s)), call(&c) {}

    static void on_done(completion& c, outcome& o) {
        auto& self = static_cast<withdrawal&>(c);
        std::unique_ptr<cross_thread_call> taken;
        if (o.state == phase::cancelled) {
            if (const auto s = self.executor.lock()) taken = s->take_back(*self.call);
        }
        self.~withdrawal();
        frame_pool::release(&self, sizeof(withdrawal));
    }

    std::weak_ptr<state> executor;
    const cross_thread_call* call;  // exists as long as the future is pending
};

void thread_executor::withdraw_when_cancelled(outcome& o, const cross_thread_call& c) {
    subscribe(o, *::new (frame_pool::allocate(sizeof(withdrawal))) withdrawal(state_, c));
}

std::unique_ptr<cross_thread_call> thread_executor::state::take_back(const cross_thread_call& call) {
    const std::lock_guard guard(lock);
    const auto at =
        std::find_if(queue.begin(), queue.end(), [&](const auto& o) { return o.call.get() == &call; });
    if (at == queue.end()) return nullptr;
    auto taken = std::move(at->call);
    queue.erase(at);
    return taken;
}

void thread_executor::cancel_queued() {
    std::deque<state::order> queue;
    {
        const std::lock_guard guard(state_->lock);
        queue.swap(state_->queue);
    }
    for (auto& o : queue) o.to->give_back(std::move(o.call));
}

bool thread_executor::shutdown(std::chrono::nanoseconds patience) { return shutdown(*state_, patience); }

bool thread_executor::shutdown(state& s, std::chrono::nanoseconds patience) {
    if (!s.mark.of_this_process()) return true;
    std::unique_lock guard(s.lock);
    s.closed = true;
    s.work.notify_all();
    const auto over = [&] { return s.alive == 0; };
    s.ended.wait_until(guard, loop::deadline_after(patience), over);
    const bool all = s.alive == 0;
    std::vector<std::thread> threads = std::move(s.threads);
    guard.unlock();
    for (std::thread& t : threads) {
        if (all)
            t.join();
        else
            t.detach();
    }
    return all;
}

coro<void> shutdown_default_executor(std::chrono::nanoseconds patience) {
    loop& l = get_running_loop();
    thread_executor& waited_for = l.use<default_executor>().get();
    if (waited_for.threads() == 0) {
        waited_for.shutdown();
        co_return;
    }
    // The waiting is done by a thread of its own, so that the loop can take the results meanwhile. It may
    // outlast the executor, if the loop fails.
    thread_executor waiter(1);
    auto shuts_down = [s = waited_for.state_, patience] { return thread_executor::shutdown(*s, patience); };
    auto ended = run_in_executor(waiter, std::move(shuts_down));
    const bool in_time = co_await ended;
    if (in_time) co_return;
    error_report report;
    report.message = "The default executor did not end its calls in time: its threads go on";
    l.call_exception_handler(report);
}

void finish_default_executor(loop& l) {
    if (l.of_this_process() && l.find<default_executor>()) l.run_until_complete(shutdown_default_executor());
}

}  // namespace crossover::asyncio
