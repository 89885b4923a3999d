// The reactor on epoll: each descriptor is registered once, edge-triggered, and its readiness remembered
// here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "runtimes/reactor/reactor.hpp"

namespace crossover {

// Every member may be called from any thread, poll() from one at a time.
class epoll_reactor final : public reactor {
  public:
    epoll_reactor();
    ~epoll_reactor() override;

    const char* name() const noexcept override { return "epoll"; }
    void attach(int fd) override;
    void detach(int fd) noexcept override;
    void close(int fd) noexcept override;
    std::size_t attached() const noexcept override { return attached_.load(std::memory_order_relaxed); }
    bool wait(int fd, direction d, node& n) override;
    bool cancel(int fd, direction d, node& n) noexcept override;
    void poll(std::chrono::nanoseconds timeout, node_list& ready) override;
    void notify() noexcept override;
    ssize_t recv(int fd, std::span<std::byte> to) noexcept override;
    ssize_t send(int fd, std::span<const std::byte> from) noexcept override;
    int accept(int fd) noexcept override;
    int shut_down_sending(int fd) noexcept override;

  private:
    // One word per direction: idle, ready, or the address of the waiting node. Thus a wake and a wait need
    // one exchange each and no lock, from whatever thread they come.
    struct slot {
        std::atomic<std::uintptr_t> word[2]{};
        std::atomic<std::uint32_t> generation{
            0};  // odd while attached; tells late events of a closed descriptor from the next one's
        // A read that does not fill its buffer has emptied a TCP socket, and an event that does not say
        // "readable" shows an empty one: until the next edge the kernel need not be asked again, which spares
        // a client one of three system calls per request.
        std::atomic<std::uint32_t> edges{1};       // of the readable direction
        std::atomic<std::uint32_t> emptied_at{0};  // the edges when it was emptied; no edge is 0
        std::atomic<bool> ended{false};            // the end of the stream comes without a further edge
        std::atomic<char> is_tcp{unknown};
    };
    static constexpr char unknown = -1;
    static constexpr std::size_t chunk_slots = 256;
    static constexpr std::size_t chunks = 4096;
    using chunk = std::array<slot, chunk_slots>;

    slot* find(int fd) const noexcept;
    slot& make(int fd);
    void forget(int fd) noexcept;
    static void note_edge(slot& s, bool ended) noexcept;
    static bool short_read_empties(slot& s, int fd) noexcept;
    static void announce(std::atomic<std::uintptr_t>& word, node_list& ready) noexcept;

    enum class sleeper : int { awake, asleep, notified };

    int epoll_ = -1;
    int wake_ = -1;  // an eventfd, edge-triggered and never read: a write is an edge each time
    std::atomic<sleeper> sleeper_{sleeper::awake};
    std::atomic<std::size_t> attached_{0};
    std::array<std::atomic<chunk*>, chunks> table_{};
};

}  // namespace crossover
