// The life of a thread of fibers_multi.
#include "runtimes/fibers/worker.hpp"

#include "runtimes/fibers/batches.hpp"

namespace crossover {

void fibers_multi::worker::start() {
    thread_ = std::thread([this] { serve(); });
    started_.acquire();
    if (!failed_) return;
    thread_.join();
    std::rethrow_exception(failed_);
}

void fibers_multi::worker::stop() {
    if (!thread_.joinable()) return;
    closing_.store(true, std::memory_order_release);
    call();
    may_leave_.release();
    thread_.join();
}

void fibers_multi::worker::wait_for_call() {
    if (!called_) {
        fiber::waiting self(*scheduler_);
        sleeping_ = &self;
        self.suspend(nullptr);
        sleeping_ = nullptr;
    }
    called_ = false;
}

void fibers_multi::worker::open(nested_batch& b) {
    const std::lock_guard guard(open_lock_);
    b.older = newest_;
    (newest_ ? newest_->newer : oldest_) = &b;
    newest_ = &b;
    b.listed = true;
}

void fibers_multi::worker::close(nested_batch& b) {
    const std::lock_guard guard(open_lock_);
    if (b.listed) unlist(b);
}

void fibers_multi::worker::unlist(nested_batch& b) {
    (b.older ? b.older->newer : oldest_) = b.newer;
    (b.newer ? b.newer->older : newest_) = b.older;
    b.listed = false;
}

// Of thousands of batches most are claimed to the last item long before their owner goes on and closes them:
// who finds such a one takes it out, so that nobody looks at it again.
fibers_multi::nested_batch* fibers_multi::worker::join_open() {
    const std::lock_guard guard(open_lock_);
    while (oldest_) {
        if (oldest_->has_unclaimed()) {
            oldest_->join();
            return oldest_;
        }
        unlist(*oldest_);
    }
    return nullptr;
}

fibers_multi::nested_batch* fibers_multi::worker::find_open() {
    for (const auto& other : owner_.workers_)
        if (other.get() != this)
            if (nested_batch* found = other->join_open()) return found;
    return nullptr;
}

void fibers_multi::worker::serve() {
    try {
        scheduler_.emplace(&owner_.sleepers_);
    } catch (...) {
        failed_ = std::current_exception();
    }
    started_.release();
    if (failed_) return;
    while (!closing_.load(std::memory_order_acquire)) {
        if (called_batch* part = ordered_.exchange(nullptr, std::memory_order_acquire))
            part->take_part(*this, in_flight_);
        else if (nested_batch* found = find_open())
            found->help(*this);
        else
            wait_for_call();
    }
    // Boost frees the stack of an ended fiber when its dispatcher runs next.
    while (stacks_.in_use() != 0) scheduler_->yield();
    may_leave_.acquire();
    scheduler_.reset();
}

}  // namespace crossover
