// The two queues shared with the kernel: entries go in, completions come out, in one system call.
#pragma once

#include <liburing.h>

#include <chrono>
#include <cstdint>

#include "runtimes/system/process_mark.hpp"

namespace crossover {

// Belongs to the first thread that submits: the kernel then needs no locks, and does its work only when that
// thread asks for it.
class kernel_ring {
  public:
    // Throws std::system_error, whose text says why the kernel refuses and what would help.
    kernel_ring();
    kernel_ring(const kernel_ring&) = delete;
    kernel_ring& operator=(const kernel_ring&) = delete;
    ~kernel_ring();

    // A cleared entry to fill; submits those before it if the queue is full. One that goes nowhere if it
    // cannot.
    io_uring_sqe& next_entry() noexcept;

    // Submits, and lets the kernel finish what it has put off; does not wait. Returns an errno, or 0, which
    // an interruption is as well.
    int submit() noexcept;
    // The same, then waits for a completion; a negative time has no end, zero makes no system call unless it
    // is needed.
    int wait(std::chrono::nanoseconds timeout) noexcept;
    // Why the kernel no longer takes anything, once either was refused; 0: it does.
    int failed() const noexcept { return failed_; }
    // The same without the queues, for when that has happened: returns when the kernel has let go of it.
    void cancel_and_wait(std::uint64_t key) noexcept;

    // Calls f(completion) for all that are there.
    template <class F>
    void take_all(F f) noexcept {
        unsigned head = 0;
        unsigned n = 0;
        io_uring_cqe* e = nullptr;
        io_uring_for_each_cqe(&ring_, head, e) {
            f(*e);
            ++n;
        }
        ::io_uring_cq_advance(&ring_, n);
    }

    // Grows with each submission: an entry of an earlier round is with the kernel.
    std::uint64_t round() const noexcept { return round_; }

    io_uring& raw() noexcept { return ring_; }

  private:
    int enable() noexcept;
    int error_in(int answer) noexcept;
    bool something_to_do() const noexcept;

    io_uring ring_{};
    process_mark mark_;
    std::uint64_t round_ = 0;
    bool enabled_ = false;
    int failed_ = 0;
};

}  // namespace crossover
