// Suspends and resumes tasks, from any thread.
#include "runtimes/tbb/resumable/waiting.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

#include "runtimes/system/limits/limits.hpp"

namespace crossover::resumable {

// --- One waiting task ---

tbb::task::suspend_point waiting::mark(bits which) {
    const bits before = state_.fetch_or(which, std::memory_order_acq_rel);
    return before == suspended_bit ? point_ : nullptr;  // no other bit was set: nobody else resumes it
}

void waiting::await(bits which) const {
    while (!has(which)) std::this_thread::yield();
}

void waiting::suspend(time_point latest) {
    if (stop_) latest = std::min(latest, stop_->deadline());
    const bool entered = stop_ || latest != never;
    if (entered) by_.enter(*this, latest);
    // Who stops the batch raises its state first and looks for the waiting ones then; here it is the reverse.
    if (!(stop_ && stop_->raised()))
        tbb::task::suspend([this](tbb::task::suspend_point here) {
            point_ = here;
            if (state_.fetch_or(suspended_bit, std::memory_order_acq_rel) != 0) tbb::task::resume(here);
        });
    if (entered) by_.leave(*this);
}

void waiting::suspend_for(int descriptor, direction d, time_point latest) {
    ready_node when_ready(*this);
    if (by_.reactor().wait(descriptor, d, when_ready)) return;
    suspend(latest);
    if (!by_.reactor().cancel(descriptor, d, when_ready)) await(ready_bit);
}

// --- The watcher ---

watcher::watcher() try : thread_([this] { watch(); }) {
} catch (const std::system_error& e) {
    refuse_if_out_of_descriptors(e.code().value(), "starting the thread that watches for tasks");
    refuse_worker(e.code().value(), "starting the thread that watches for tasks");
}

watcher::~watcher() {
    closing_.store(true);
    reactor_.notify();
    thread_.join();
}

void watcher::enter(waiting& w, time_point latest) {
    bool earlier = false;
    {
        const std::lock_guard guard(lock_);
        if (latest != never) {
            earlier = timers_.empty() || latest < timers_.earliest();
            timers_.insert(w.due_, latest);
        }
        if (w.stop_) {
            w.older_ = newest_stoppable_;
            if (w.older_) w.older_->newer_ = &w;
            newest_stoppable_ = &w;
        }
    }
    if (earlier) reactor_.notify();
}

void watcher::leave(waiting& w) {
    if (!w.stop_ && w.has(waiting::time_bit)) return;
    const std::lock_guard guard(lock_);
    if (asyncio::timer_heap::armed(w.due_)) timers_.remove(w.due_);
    if (!w.stop_) return;
    (w.newer_ ? w.newer_->older_ : newest_stoppable_) = w.older_;
    if (w.older_) w.older_->newer_ = w.newer_;
}

void watcher::wake_stopped() {
    std::vector<tbb::task::suspend_point> stopped;
    {
        const std::lock_guard guard(lock_);
        for (waiting* w = newest_stoppable_; w; w = w->older_)
            if (w->stop_->raised())
                if (auto point = w->mark(waiting::stop_bit)) stopped.push_back(point);
    }
    for (auto point : stopped) tbb::task::resume(point);
}

std::chrono::nanoseconds watcher::time_to_sleep() {
    const std::lock_guard guard(lock_);
    if (timers_.empty()) return std::chrono::nanoseconds(-1);
    const time_point now = std::chrono::steady_clock::now();
    return timers_.earliest() > now ? timers_.earliest() - now : std::chrono::nanoseconds(0);
}

void watcher::resume_due() {
    std::vector<tbb::task::suspend_point> due;
    {
        const std::lock_guard guard(lock_);
        if (timers_.empty()) return;
        node_list fired;
        timers_.expire(std::chrono::steady_clock::now(), fired);
        while (!fired.empty()) {
            auto& w = static_cast<waiting::due_node&>(fired.pop_front()).owner;
            if (auto point = w.mark(waiting::time_bit)) due.push_back(point);
        }
    }
    for (auto point : due) tbb::task::resume(point);
}

void watcher::watch() {
    while (!closing_.load()) {
        node_list ready;
        reactor_.poll(time_to_sleep(), ready);
        while (!ready.empty()) {
            node& n = ready.pop_front();
            n.run(n);
        }
        resume_due();
    }
}

}  // namespace crossover::resumable
