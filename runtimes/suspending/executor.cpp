// A queue and the threads that serve it.
#include "runtimes/suspending/executor.hpp"

#include <system_error>

#include "runtimes/system/limits/limits.hpp"

namespace crossover::cross_thread {

void offloaded_call::make() noexcept {
    if (stop_ && stop_->over()) return;
    try {
        function_(argument_);
    } catch (...) {
        error_ = std::current_exception();
    }
}

executor::~executor() {
    {
        const std::lock_guard guard(lock_);
        closed_ = true;
    }
    work_.notify_all();
    for (std::thread& each : threads_) each.join();
}

void executor::submit(offloaded_call& c) {
    const std::lock_guard guard(lock_);
    queue_.add(c);
    ++queued_;
    // One that was notified and has not run yet still counts as idle, and its call as queued.
    if (queued_ <= idle_) {
        work_.notify_one();
    } else if (threads_.size() < most_threads_) {
        try {
            threads_.emplace_back([this] { serve(); });
        } catch (const std::system_error& e) {
            if (!threads_.empty()) return;  // later, by those there are
            queue_.remove(c);
            --queued_;
            refuse_worker(e.code().value(), "starting a thread of the executor");
        }
    }
}

void executor::serve() {
    std::unique_lock guard(lock_);
    for (;;) {
        ++idle_;
        work_.wait(guard, [this] { return queued_ > 0 || closed_; });
        --idle_;
        if (queued_ == 0) return;
        auto& next = static_cast<offloaded_call&>(*queue_.take());
        --queued_;
        guard.unlock();
        next.make();
        next.done_.call();
        guard.lock();
    }
}

}  // namespace crossover::cross_thread
