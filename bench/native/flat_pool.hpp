// A pool of threads as one writes it by hand for flat work: its threads take indices from a shared counter.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "runtimes/system/processor.hpp"

namespace crossover::bench::native {

class flat_pool {
  public:
    explicit flat_pool(std::size_t threads) {
        try {
            for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
        } catch (...) {
            end();
            throw;
        }
    }
    ~flat_pool() { end(); }
    flat_pool(const flat_pool&) = delete;
    flat_pool& operator=(const flat_pool&) = delete;

    // Calls body(i) for each i < n on the threads; returns when all calls have returned.
    template <class Body>
    void run(std::size_t n, const Body& body) {
        std::unique_lock lock(mutex_);
        call_ = [](const void* of, std::size_t i) { (*static_cast<const Body*>(of))(i); };
        body_ = &body;
        n_ = n;
        next_.store(0, std::memory_order_relaxed);
        wanted_ = busy_ = std::min(n, threads_.size());
        for (std::size_t i = 0; i < wanted_; ++i) begun_.notify_one();
        ended_.wait(lock, [this] { return busy_ == 0; });
    }

  private:
    void serve() {
        std::unique_lock lock(mutex_);
        while (true) {
            begun_.wait(lock, [this] { return wanted_ > 0 || closed_; });
            if (wanted_ == 0) return;
            --wanted_;
            lock.unlock();
            for (std::size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < n_;) call_(body_, i);
            lock.lock();
            if (--busy_ == 0) ended_.notify_one();
        }
    }

    void end() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        begun_.notify_all();
        for (std::thread& one : threads_) one.join();
    }

    std::mutex mutex_;
    std::condition_variable begun_, ended_;
    void (*call_)(const void*, std::size_t) = nullptr;
    const void* body_ = nullptr;
    std::size_t n_ = 0;
    std::size_t wanted_ = 0;  // threads that have still to take part
    std::size_t busy_ = 0;    // that have not finished their part
    bool closed_ = false;
    alignas(cache_line_bytes) std::atomic<std::size_t> next_{0};
    std::vector<std::thread> threads_;
};

}  // namespace crossover::bench::native
