// Which thread has which place, and what an item is run with.
#include "runtimes/tbb/tbb_tasks.hpp"

#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// The thread has its place at least as long as this lives.
class tbb_tasks::in_place {
  public:
    explicit in_place(tbb_tasks& in) : outermost_(!own_place) {
        if (outermost_)
            own_place = &in.places_[static_cast<std::size_t>(tbb::this_task_arena::current_thread_index())];
    }
    ~in_place() {
        if (outermost_) own_place = nullptr;
    }
    in_place(const in_place&) = delete;
    in_place& operator=(const in_place&) = delete;

  private:
    bool outermost_;
};

[[gnu::noinline]] void tbb_tasks::take_place_and_run(running_batch& batch, std::size_t index) {
    const in_place here(*this);
    running_batch::item{&batch, index}();
}

inline void tbb_tasks::run_item(running_batch& batch, std::size_t index) {
    if (!own_place) [[unlikely]]
        return take_place_and_run(batch, index);
    context ctx(*this, *own_place, batch.stop());
    batch.run_item(ctx, index, [this] { wake_blocked(); });
}

tbb_tasks::tbb_tasks(const options& settings)
    : cores_(settings.cores),
      most_threads_(tbb::global_control::max_allowed_parallelism, cores_),
      arena_(static_cast<int>(cores_)),
      places_(std::make_unique<place[]>(cores_)) {
    // TBB starts them amid a run, and ends the process if one of them cannot start the next.
    need_threads(cores_, "starting the threads of TBB");
}

resource_use tbb_tasks::resources() const { return {cores_, 1, stack_bytes_of_threads()}; }

void tbb_tasks::wake_blocked() {
    for (std::size_t i = 0; i < cores_; ++i) places_[i].own.wake();
}

void tbb_tasks::run_batch(place& here, std::size_t n, job<context> item_job, const void* data,
                          const policy& rules, const stop_state* outer) {
    running_batch(*this, n, item_job, data, rules, outer, here.unbound).run();
}

void tbb_tasks::run_isolated(place& here, std::size_t n, job<context> item_job, const void* data,
                             const policy& rules, const stop_state* outer) {
    tbb::this_task_arena::isolate([&] { run_batch(here, n, item_job, data, rules, outer); });
}

void tbb_tasks::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    arena_.execute([&] {
        const in_place here(*this);
        run_batch(*own_place, n, item_job, batch, rules, nullptr);
    });
}

}  // namespace crossover
