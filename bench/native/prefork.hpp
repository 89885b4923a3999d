// Worker processes forked beforehand: indices go out through one pipe, results come back through another.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

namespace crossover::bench::native {

// A pipe, and whole records through it.
class pipe_pair {
  public:
    pipe_pair() {
        if (::pipe(ends_) < 0) throw std::system_error(errno, std::generic_category(), "pipe");
    }
    ~pipe_pair() {
        close_reading();
        close_writing();
    }
    pipe_pair(const pipe_pair&) = delete;
    pipe_pair& operator=(const pipe_pair&) = delete;

    void close_reading() { close(ends_[0]); }
    void close_writing() { close(ends_[1]); }

    // Records are shorter than PIPE_BUF, so that those of several writers do not mix. False once nobody
    // reads.
    template <class Record>
    bool write(const Record& r) {
        return ::write(ends_[1], &r, sizeof r) == static_cast<ssize_t>(sizeof r);
    }

    // As many records as are there, at least one; 0 once nobody writes.
    template <class Record, std::size_t Most>
    std::size_t read(std::span<Record, Most> into) {
        const ssize_t n = ::read(ends_[0], into.data(), into.size_bytes());
        if (n < 0) throw std::system_error(errno, std::generic_category(), "read from a pipe");
        return static_cast<std::size_t>(n) / sizeof(Record);
    }

  private:
    static void close(int& end) {
        if (end >= 0) ::close(std::exchange(end, -1));
    }

    int ends_[2];
};

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
