// The task that runs one item, and the groups that wait for them.
#include "runtimes/tbb_tasks.hpp"

#include <algorithm>
#include <atomic>

#include "runtimes/batch.hpp"
#include "runtimes/limits.hpp"
#include "runtimes/stack_size.hpp"

namespace crossover {

// Runs one item, and starts another in its place while the policy bounds the items in flight. Never throws:
// an exception would make the group cancel what is queued, which all_done forbids.
struct tbb_tasks::item {
    running_batch* batch;
    std::size_t index;
    void operator()() const;

  private:
    void take_seat_and_run() const;
};

// Lies on the stack of whoever runs the batch, who stays until the group is empty.
struct tbb_tasks::running_batch {
    running_batch(tbb_tasks& runtime, place& here, std::size_t items, job<context> job_of_items,
                  const void* items_data, const policy& rules, const stop_state* outer)
        // Member by member: a copy of the whole, just written, waits until it has reached the cache.
        : in(runtime),
          state(policy(rules.in_flight, rules.stop, rules.deadline), outer),
          each(job_of_items),
          data(items_data),
          n(items),
          group(here.unbound) {}

    // All but the last are spawned, that one runs at once; then this thread helps until all have ended.
    void run() {
        std::size_t first = std::min(n, state.rules().in_flight);
        bounded = first < n;
        next.store(first, std::memory_order_relaxed);
        for (std::size_t index = 0; index + 1 < first; ++index) group.run(item{this, index});
        group.run_and_wait(item{this, first - 1});
    }

    tbb_tasks& in;
    batch_state state;
    job<context> each;
    const void* data;
    std::size_t n;
    bool bounded = false;
    std::atomic<std::size_t> next{0};
    tbb::task_group group;
};

// The thread has its seat at least as long as this lives.
class tbb_tasks::seated {
  public:
    explicit seated(tbb_tasks& in) : outermost_(!seat) {
        if (outermost_)
            seat = &in.places_[static_cast<std::size_t>(tbb::this_task_arena::current_thread_index())];
    }
    ~seated() {
        if (outermost_) seat = nullptr;
    }
    seated(const seated&) = delete;
    seated& operator=(const seated&) = delete;

  private:
    bool outermost_;
};

[[gnu::noinline]] void tbb_tasks::item::take_seat_and_run() const {
    const seated here(batch->in);
    (*this)();
}

inline void tbb_tasks::item::operator()() const {
    if (!seat) [[unlikely]]
        return take_seat_and_run();
    batch_state& state = batch->state;
    if (state.stopped()) return;
    context ctx(batch->in, *seat, state.stop());
    if (run_noted(state, index, [&] { batch->each(ctx, batch->data, index).finish(); }))
        batch->in.wake_blocked();
    if (!batch->bounded) return;
    std::size_t following = batch->next.fetch_add(1, std::memory_order_relaxed);
    if (following < batch->n) batch->group.run(item{batch, following});
}

tbb_tasks::tbb_tasks(const options& with)
    : cores_(with.cores),
      most_threads_(tbb::global_control::max_allowed_parallelism, cores_),
      arena_(static_cast<int>(cores_)),
      places_(std::make_unique<place[]>(cores_)) {
    // TBB starts them amid a run, and ends the process if one of them cannot start the next.
    need_threads(cores_, "starting the threads of TBB");
}

resources tbb_tasks::held() const { return {cores_, 1, stack_bytes_of_threads()}; }

void tbb_tasks::wake_blocked() {
    for (std::size_t i = 0; i < cores_; ++i) places_[i].own.wake();
}

void tbb_tasks::run_batch(place& here, std::size_t n, job<context> each, const void* data,
                          const policy& rules, const stop_state* outer) {
    running_batch batch(*this, here, n, each, data, rules, outer);
    if (n > 0) batch.run();
    batch.state.finish();
}

void tbb_tasks::run_isolated(place& here, std::size_t n, job<context> each, const void* data,
                             const policy& rules, const stop_state* outer) {
    tbb::this_task_arena::isolate([&] { run_batch(here, n, each, data, rules, outer); });
}

void tbb_tasks::run(std::size_t n, job<context> each, const void* batch, policy rules) {
    arena_.execute([&] {
        const seated here(*this);
        run_batch(*seat, n, each, batch, rules, nullptr);
    });
}

}  // namespace crossover
