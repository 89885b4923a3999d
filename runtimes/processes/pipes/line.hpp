// One message at a time over a socket, each way: its size, then its bytes, which both sides copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace crossover::pipes {

// One end. Nobody asks again before the answer has come: at most one message is under way in each direction.
class line {
  public:
    explicit line(int socket) : socket_(socket) {}

    // Begins a message, adds to it, sends it. With `wait` all of it is sent, else as much as there is room
    // for: see unsent() and flush(). False when the other side is gone.
    void begin();
    void add(std::span<const std::byte> bytes);
    template <class T>
    void add_object(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        add(std::as_bytes(std::span(&value, 1)));
    }
    bool send(bool wait);
    bool flush(bool wait);
    std::size_t unsent() const { return out_.size() - sent_; }
    std::size_t bytes_of_last_sent() const { return out_.size(); }

    enum class state { incomplete, complete, gone };
    // With `wait` it blocks until a message is complete.
    state receive(bool wait);
    // The next bytes of the message that has come. The reader knows how long it is from what is in it.
    void take(std::span<std::byte> into);
    template <class T>
    T take() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value;
        take(std::as_writable_bytes(std::span(&value, 1)));
        return value;
    }
    std::span<const std::byte> rest() const { return std::span(in_).subspan(taken_, got_ - taken_); }

    // Forgets what is under way.
    void reset();

  private:
    using size = std::uint64_t;

    std::size_t expected() const;

    int socket_;
    std::vector<std::byte> out_;
    std::size_t sent_ = 0;
    std::vector<std::byte> in_;
    std::size_t got_ = 0;
    std::size_t taken_ = 0;  // 0: no message has been completed since the last one
};

}  // namespace crossover::pipes
