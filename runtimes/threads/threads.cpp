// Starts and ends the threads of a pool, and waits for the end of a batch.
#include "runtimes/threads/threads.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include "runtimes/blocking/frames.hpp"
#include "runtimes/system/errors.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover::pool {

namespace {

// Address space for the coroutines of one worker: half of what its stack has by default.
constexpr std::size_t frame_bytes = std::size_t{4} << 20;

std::size_t at_most_the_set(std::size_t workers) {
    if (workers <= atomic_bitset::capacity) return workers;
    throw refused("a pool of threads holds at most " + std::to_string(atomic_bitset::capacity) +
                  " workers, not " + std::to_string(workers) + ": choose fewer");
}

}  // namespace

threads::threads(std::size_t workers, std::chrono::nanoseconds look)
    : slots_(std::make_unique<worker_slot<scope>[]>(at_most_the_set(workers))),
      all_(*this, slots_.get(), workers, look),
      frames_(workers * frame_bytes, "memory for the coroutines of a pool of threads") {
    asymmetric_fence<scope>::join();
    constexpr const char* starting = "starting a thread of the pool";
    try {
        for (std::size_t id = 0; id < workers; ++id) threads_.emplace_back(&threads::work, this, id);
    } catch (const std::bad_alloc&) {
        close();
        refuse_worker(ENOMEM, starting);
    } catch (const std::system_error& e) {
        close();
        refuse_worker(e.code().value(), starting);
    }
}

threads::~threads() { close(); }

void threads::work(std::size_t id) {
    blocking::frames frames(frames_.data() + id * frame_bytes, frame_bytes);
    blocking::frames::current = &frames;
    worker<scope>(all_, id).serve();
}

void threads::close() {
    all_.closing.store(true, std::memory_order_seq_cst);
    for (std::size_t id = 0; id < threads_.size(); ++id) all_.wake(id);
    for (auto& thread : threads_) thread.join();
}

void threads::batch_ended() {
    endings_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(endings_, 1, scope);
}

void threads::run(std::size_t n, job<context> item_job, const void* data, const policy& rules) {
    batch_state state(rules, nullptr);
    for (std::size_t base = 0; base < n && !state.stopped(); base += share::limit) {
        all_.share_out(state, item_job, data, base, std::min(n - base, share::limit));
        for (;;) {
            const std::uint32_t seen = endings_.load(std::memory_order_seq_cst);
            if (all_.left.load(std::memory_order_seq_cst) == 0) break;
            futex_wait(endings_, seen, scope);
        }
    }
    state.finish();
}

}  // namespace crossover::pool
