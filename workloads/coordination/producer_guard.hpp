// Closes a channel when the last of those who push into it leaves.
#pragma once

#include <atomic>
#include <cstdint>

namespace crossover {

// In each of them, from its beginning on: also who leaves by an exception leaves, or the other side would
// wait forever.
template <class Channel>
class producer_guard {
  public:
    // `pushing`: how many of them there are at first. Both outlive this.
    producer_guard(Channel& channel, std::atomic<std::uint64_t>& pushing)
        : channel_(channel), pushing_(pushing) {}
    ~producer_guard() {
        if (pushing_.fetch_sub(1) == 1) channel_.close();
    }
    producer_guard(const producer_guard&) = delete;
    producer_guard& operator=(const producer_guard&) = delete;

  private:
    Channel& channel_;
    std::atomic<std::uint64_t>& pushing_;
};

}  // namespace crossover
