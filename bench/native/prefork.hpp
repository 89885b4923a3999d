// Worker processes forked beforehand: indices go out through one pipe, results come back through another.
#pragma once

#include <sys/wait.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "bench/native/pipe.hpp"

namespace crossover::bench::native {

class prefork {
  public:
    // The workers call item(index), which gives a std::uint64_t.
    template <class Item>
    prefork(std::size_t workers, const Item& item) {
        for (std::size_t i = 0; i < workers; ++i) {
            const pid_t worker = ::fork();
            if (worker < 0) throw std::system_error(errno, std::generic_category(), "fork");
            if (worker == 0) work(item);
            workers_.push_back(worker);
        }
        results_.close_writing();
        indices_.close_reading();
    }
    ~prefork() {
        indices_.close_writing();  // the workers end
        for (pid_t worker : workers_) ::waitpid(worker, nullptr, 0);
    }
    prefork(const prefork&) = delete;
    prefork& operator=(const prefork&) = delete;

    const std::vector<int>& worker_ids() const { return workers_; }

    // Calls take(index, what the item gave) for each index < n.
    template <class Take>
    void run(std::size_t n, const Take& take) {
        result all[64];
        std::size_t sent = 0, done = 0;
        while (done < n) {
            for (; sent < n && sent - done < most_outstanding; ++sent) indices_.write(sent);
            const std::size_t came = results_.read(std::span(all));
            if (came == 0) throw std::runtime_error("the workers have died");
            for (const result& r : std::span(all, came)) take(r.index, r.value);
            done += came;
        }
    }

  private:
    struct result {
        std::size_t index;
        std::uint64_t value;
    };

    template <class Item>
    [[noreturn]] void work(const Item& item) {
        indices_.close_writing();
        results_.close_reading();
        std::size_t index = 0;
        while (indices_.read(std::span(&index, 1)) == 1)
            if (!results_.write(result{index, item(index)})) break;
        ::_exit(0);
    }

    // So that neither pipe fills while the other is full.
    static constexpr std::size_t most_outstanding = 1024;

    pipe_pair indices_;
    pipe_pair results_;
    std::vector<int> workers_;
};

}  // namespace crossover::bench::native
