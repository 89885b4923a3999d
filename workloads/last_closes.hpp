// Closes a channel when the last of those who push into it leaves.
#pragma once

#include <atomic>
#include <cstdint>

namespace crossover {

// In each of them, from its beginning on: also who leaves by an exception leaves, or the other side would
// wait for ever.
template <class Channel>
class last_closes {
  public:
    // `pushing`: how many of them there are at first. Both outlive this.
    last_closes(Channel& channel, std::atomic<std::uint64_t>& pushing)
        : channel_(channel), pushing_(pushing) {}
    ~last_closes() {
        if (pushing_.fetch_sub(1) == 1) channel_.close();
    }
    last_closes(const last_closes&) = delete;
    last_closes& operator=(const last_closes&) = delete;

  private:
    Channel& channel_;
    std::atomic<std::uint64_t>& pushing_;
};

}  // namespace crossover
