// The threads, and how they share the items of a batch.
#include "runtimes/fibers_multi.hpp"

#include <algorithm>
#include <boost/fiber/fiber.hpp>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "runtimes/batch.hpp"
#include "runtimes/files.hpp"
#include "runtimes/limits.hpp"

namespace crossover {

// One thread. What is not atomic and has no lock is the thread's own.
class fibers_multi::worker {
  public:
    explicit worker(fibers_multi& owner) : owner_(owner) {}

    void start() {
        thread_ = std::thread([this] { serve(); });
        started_.acquire();
        if (!failed_) return;
        thread_.join();
        std::rethrow_exception(failed_);
    }
    // From the thread that started it, once no batch is left.
    void stop() {
        if (!thread_.joinable()) return;
        closing_.store(true, std::memory_order_release);
        call();
        may_leave_.release();
        thread_.join();
    }

    fibers_multi& owner() { return owner_; }
    fiber::scheduler& scheduler() { return *scheduler_; }
    fiber::stacks& stacks() { return stacks_; }

    // From any thread: makes the worker look for something to do.
    void call() { looks_.post_to(*scheduler_); }
    // From any thread: wakes the fibers whose batch was stopped.
    void call_to_stop() { stops_.post_to(*scheduler_); }
    // By the thread that calls run(): a part of its batch.
    void order(called_batch& part, std::size_t in_flight) {
        in_flight_ = in_flight;
        ordered_.store(&part, std::memory_order_release);
        call();
    }

    // Nested batches whose owner still starts items: the oldest is first, and likely the largest.
    void open(nested_batch& b);
    void close(nested_batch& b);
    // Takes part in one of them, if there is one with items to claim.
    nested_batch* join_open();

  private:
    // A call from any thread that does the same however often it is made before it comes.
    class signal : node {
      public:
        using function = void (*)(worker&);
        signal(worker& to, function f) : node(&arrive), to_(to), function_(f) {}
        void post_to(fiber::scheduler& s) {
            if (!posted_.exchange(true, std::memory_order_seq_cst)) s.post(*this);
        }

      private:
        static void arrive(node& n) {
            auto& self = static_cast<signal&>(n);
            self.posted_.store(false, std::memory_order_seq_cst);
            self.function_(self.to_);
        }
        worker& to_;
        function function_;
        std::atomic<bool> posted_{false};
    };

    void serve();
    nested_batch* find_open();

    void wait_for_call() {
        if (!called_) {
            fiber::waiting self(*scheduler_);
            sleeping_ = &self;
            self.suspend(nullptr);
            sleeping_ = nullptr;
        }
        called_ = false;
    }

    fibers_multi& owner_;
    fiber::stacks stacks_;
    std::optional<fiber::scheduler> scheduler_;
    fiber::waiting* sleeping_ = nullptr;  // the thread's main fiber
    bool called_ = false;
    signal looks_{*this, [](worker& w) {
                      w.called_ = true;
                      if (w.sleeping_) w.sleeping_->wake();
                  }};
    signal stops_{*this, [](worker& w) { w.scheduler_->wake_stopped(); }};

    std::atomic<called_batch*> ordered_{nullptr};
    std::size_t in_flight_ = 0;  // of the order

    alignas(64) std::mutex open_lock_;
    nested_batch* oldest_ = nullptr;
    nested_batch* newest_ = nullptr;

    std::binary_semaphore started_{0};
    std::exception_ptr failed_;  // set before it has started
    std::atomic<bool> closing_{false};
    std::binary_semaphore may_leave_{0};  // nobody calls it any more
    std::thread thread_;
};

// --- Batches
// ---------------------------------------------------------------------------------------------------

// `left` counts what has still to end: items that were claimed, and workers that claim. The last one tells.
class fibers_multi::running {
  public:
    running(fibers_multi& owner, std::size_t n, job<context> each, const void* data, const policy& rules,
            const stop_state* outer, std::size_t claimants)
        : state(rules, outer),
          owner_(owner),
          each_(each),
          data_(data),
          n_(n),
          bounded_(rules.in_flight < n),
          left_(claimants) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;

    batch_state state;

    bool has_more() const { return next_.load(std::memory_order_relaxed) < n_; }

    void stop() {
        state.raise();
        owner_.wake_stopped();
    }

  protected:
    ~running() = default;

    // Starts up to `most` items on this worker, each of which starts another one at its end if there is a
    // bound.
    void start_items(worker& on, std::size_t most) {
        std::size_t index = 0;
        for (; most > 0 && claim(index); --most) start(on, index, boost::fibers::launch::dispatch);
    }

    // True for the last one.
    bool leave() { return left_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

    virtual void all_left(worker& last) = 0;

    fibers_multi& owner() { return owner_; }
    std::atomic<std::size_t>& left() { return left_; }

  private:
    // To be called while something is left.
    bool claim(std::size_t& index) {
        if (!has_more() || state.stopped()) return false;
        left_.fetch_add(1, std::memory_order_relaxed);
        index = next_.fetch_add(1, std::memory_order_relaxed);
        if (index < n_) return true;
        left_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }

    void start(worker& on, std::size_t index, boost::fibers::launch how) {
        if (how == boost::fibers::launch::dispatch) on.scheduler().before_dispatch();
        try {
            boost::fibers::fiber(how, std::allocator_arg, fiber::stacks::allocator(on.stacks()),
                                 [this, &on, index] { run_item(on, index); })
                .detach();
        } catch (...) {
            note_end(index, [&] { throw; });
            if (leave()) all_left(on);
        }
    }

    void run_item(worker& on, std::size_t index) noexcept {
        {
            context ctx(on, on.scheduler(), state.stop());
            note_end(index, [&] { each_(ctx, data_, index).finish(); });
        }
        // In the queue, not on top of this one, lest the stacks of items that never wait pile up.
        if (std::size_t following = 0; bounded_ && claim(following))
            start(on, following, boost::fibers::launch::post);
        on.scheduler().before_end();
        if (leave()) all_left(on);
    }

    template <class Body>
    void note_end(std::size_t index, Body&& body) noexcept {
        if (run_noted(state, index, body)) owner_.wake_stopped();
    }

    fibers_multi& owner_;
    job<context> each_;
    const void* data_;
    std::size_t n_;
    bool bounded_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> left_;
};

// The batch of the thread that calls run(), which itself runs no item.
class fibers_multi::called_batch : public running {
  public:
    called_batch(fibers_multi& owner, std::size_t n, job<context> each, const void* data, const policy& rules,
                 std::size_t workers)
        : running(owner, n, each, data, rules, nullptr, workers) {}

    void take_part(worker& on, std::size_t in_flight) {
        start_items(on, in_flight);
        if (leave()) all_left(on);
    }

  private:
    // The semaphore is the runtime's, because the batch may be gone before release() has returned.
    void all_left(worker&) override { owner().ended_.release(); }
};

// The batch of an item, whose fiber waits for it after having started what others have not claimed.
class fibers_multi::nested_batch : public running {
  public:
    nested_batch(worker& home, std::size_t n, job<context> each, const void* data, const policy& rules,
                 const stop_state* outer)
        : running(home.owner(), n, each, data, rules, outer, 1),
          home_(home),
          lanes_(static_cast<std::ptrdiff_t>(std::min(n, rules.in_flight))),
          ended_(*this) {}

    void run() {
        home_.open(*this);
        start_lanes(home_);
        home_.close(*this);
        if (leave()) return;
        while (!has_ended_) {
            fiber::waiting self(home_.scheduler());
            waiter_ = &self;
            // The batch's deadline is kept here; afterwards its items only have to end.
            bool may_expire = !state.rules().cannot_stop() && !state.stopped();
            if (!self.suspend(nullptr, may_expire ? state.rules().deadline : never)) stop();
            waiter_ = nullptr;
        }
    }

    bool has_unclaimed() const { return lanes_.load(std::memory_order_relaxed) > 0 && has_more(); }
    // With the lock of the list in which the batch is open.
    void join() { left().fetch_add(1, std::memory_order_relaxed); }
    void help(worker& on) {
        start_lanes(on);
        if (leave()) all_left(on);
    }

    nested_batch* older = nullptr;
    nested_batch* newer = nullptr;

  private:
    struct end_node : node {
        explicit end_node(nested_batch& b) : node(&arrive), batch(b) {}
        static void arrive(node& n) {
            nested_batch& b = static_cast<end_node&>(n).batch;
            b.has_ended_ = true;
            if (b.waiter_) b.waiter_->wake();
        }
        nested_batch& batch;
    };

    void start_lanes(worker& on) {
        while (has_unclaimed() && lanes_.fetch_sub(1, std::memory_order_relaxed) > 0) {
            if (lanes_.load(std::memory_order_relaxed) > 0) owner().call_a_sleeper();
            start_items(on, 1);
        }
    }

    void all_left(worker& last) override {
        if (&last == &home_)
            end_node::arrive(ended_);
        else
            home_.scheduler().post(ended_);
    }

    worker& home_;
    std::atomic<std::ptrdiff_t> lanes_;  // items that may still be started from outside
    end_node ended_;
    fiber::waiting* waiter_ = nullptr;
    bool has_ended_ = false;
};

// --- Workers
// ---------------------------------------------------------------------------------------------------

void fibers_multi::worker::open(nested_batch& b) {
    const std::lock_guard guard(open_lock_);
    b.older = newest_;
    (newest_ ? newest_->newer : oldest_) = &b;
    newest_ = &b;
}

void fibers_multi::worker::close(nested_batch& b) {
    const std::lock_guard guard(open_lock_);
    (b.older ? b.older->newer : oldest_) = b.newer;
    (b.newer ? b.newer->older : newest_) = b.older;
}

fibers_multi::nested_batch* fibers_multi::worker::join_open() {
    const std::lock_guard guard(open_lock_);
    for (nested_batch* b = oldest_; b; b = b->newer)
        if (b->has_unclaimed()) {
            b->join();
            return b;
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

fibers_multi::fibers_multi(const options& with) : executor_(executor_threads(with.cores)) {
    for (std::size_t i = 0; i < with.cores; ++i) workers_.push_back(std::make_unique<worker>(*this));
    try {
        for (auto& each : workers_) each->start();
    } catch (const std::system_error& e) {
        stop_threads();
        refuse_if_out_of_descriptors(e.code().value(), "starting a thread for fibers");
        refuse_worker(e.code().value(), "starting a thread for fibers");
    }
}

fibers_multi::~fibers_multi() { stop_threads(); }

void fibers_multi::stop_threads() {
    for (auto& each : workers_) each->stop();
}

void fibers_multi::wake_stopped() {
    for (auto& each : workers_) each->call_to_stop();
}

void fibers_multi::call_one() {
    for (auto& each : workers_)
        if (each->scheduler().asleep()) return each->call();
}

blocking::ready<> fibers_multi::context::run(std::size_t n, job<context> each, const void* batch,
                                             policy rules) {
    check(stop());
    nested_batch all(worker_, n, each, batch, rules, stop());
    if (n > 0) all.run();
    all.state.finish();
    return {};
}

blocking::ready<> fibers_multi::context::offload(void (*function)(void*), void* argument) {
    handover::offload<fiber::turn>(static_cast<verbs&>(*this), worker_.owner().executor_, function, argument);
    return {};
}

blocking::ready<std::size_t> fibers_multi::context::read_file(const char* path, std::span<std::byte> into) {
    struct order {
        const char* path;
        std::span<std::byte> into;
        std::size_t bytes;
    } mine{path, into, 0};
    offload(
        [](void* o) {
            auto& read = *static_cast<order*>(o);
            read.bytes = files::read(read.path, read.into);
        },
        &mine);
    return blocking::ready<std::size_t>(mine.bytes);
}

void fibers_multi::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    const std::size_t lanes = std::min(n, rules.in_flight);
    const std::size_t parts = std::min(lanes, workers_.size());
    called_batch all(*this, n, each, batch, rules, parts);
    if (parts > 0) {
        // Each has its share of the bound, lest the first one to come start all that may be in flight.
        // Without a bound there is nothing to share: it takes what it can start before the others come.
        for (std::size_t i = 0; i < parts; ++i)
            workers_[i]->order(all, lanes == n ? n : lanes / parts + (i < lanes % parts ? 1 : 0));
        if (rules.deadline == never) {
            ended_.acquire();
        } else if (!ended_.try_acquire_until(rules.deadline)) {
            all.stop();
            ended_.acquire();
        }
    }
    all.state.finish();
}

}  // namespace crossover
