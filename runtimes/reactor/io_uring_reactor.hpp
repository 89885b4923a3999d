// The reactor on io_uring: one system call per iteration submits sends and waits, and collects what has
// become ready.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtimes/reactor/kernel_ring.hpp"
#include "runtimes/reactor/reactor.hpp"

namespace crossover {

struct outgoing;

// A read of a file that the kernel performs; its node is handed out by poll() when the result is there.
struct file_read : node {
    explicit file_read(function f) noexcept : node(f) {}
    ssize_t result = 0;  // bytes, 0 at the end of the file, or -errno
    bool done = false;
    bool abandoned = false;
};

// Belongs to one thread: the first that polls, closes or detaches; only notify() may come from others.
//
// Nothing is received or accepted ahead of who asks: whatever the program does with a descriptor by itself
// finds all that has come. Small sends on TCP are queued and go out with the next poll(), send_now(),
// shut_down_sending(), cancel() of who waits for them, detach() or close(); an error of one comes out of
// flush() or the next send.
class io_uring_reactor final : public reactor {
  public:
    // Throws std::system_error, whose text says why the kernel refuses and what would help.
    io_uring_reactor();
    ~io_uring_reactor() override;

    const char* name() const noexcept override { return "io_uring"; }
    void attach(int fd) override;
    void detach(int fd) noexcept override;
    void close(int fd) noexcept override;
    std::size_t attached() const noexcept override { return attached_; }
    bool wait(int fd, direction d, node& n) override;
    bool cancel(int fd, direction d, node& n) noexcept override;
    void poll(std::chrono::nanoseconds timeout, node_list& ready) override;
    void notify() noexcept override;
    ssize_t recv(int fd, std::span<std::byte> to) noexcept override;
    ssize_t send(int fd, std::span<const std::byte> from) noexcept override;
    int flush(int fd) noexcept override;
    ssize_t send_now(int fd, std::span<const std::byte> from) noexcept override;
    int accept(int fd) noexcept override;
    int shut_down_sending(int fd) noexcept override;

    // `to` and `r` belong to the kernel until the node is handed out.
    void read_file(int fd, std::span<std::byte> to, std::uint64_t offset, file_read& r);
    // Blocks until the kernel has let go of it; its node is not handed out.
    void abandon(file_read& r) noexcept;

  private:
    enum class kind : std::uint8_t { wake, ignored, poll_in, poll_out, send, file };
    enum class transport : std::uint8_t { unknown, tcp, other };

    struct slot {
        node* waiter[2]{};
        outgoing* out = nullptr;  // a send that is queued or under way
        dev_t device = 0;         // with the inode: which file the number stands for
        ino_t inode = 0;
        std::uint32_t generation = 0;  // odd while attached
        int send_error = 0;
        std::uint8_t armed = 0;  // bit k: an operation of that kind is with the kernel
        transport over = transport::unknown;
        bool ready[2]{};
        bool emptied = false;     // by a read that did not fill its buffer; until the next event
        bool ended = false;       // the end of the stream comes without a further event
        bool shuts_down = false;  // once what is queued has been sent
    };

    static std::uint64_t key_of(kind k, int fd, std::uint32_t generation) noexcept;
    static std::uint64_t key_of(kind k, void* who) noexcept;
    static bool is_armed(const slot& s, kind k) noexcept { return s.armed >> static_cast<int>(k) & 1; }
    static void set_armed(slot& s, kind k, bool to) noexcept;

    slot* find(int fd) noexcept;  // null: not attached, or in a child of the process
    void arm(slot& s, int fd, kind k) noexcept;
    void recall(std::uint64_t key) noexcept;
    void forget(int fd) noexcept;
    void reap() noexcept;
    void complete(const io_uring_cqe& e) noexcept;
    void on_read(file_read& r, int result) noexcept;
    void hand_out(slot& s, direction d) noexcept;
    void announce(slot& s, direction d) noexcept;  // as hand_out(), and remembers it if nobody waits

    static bool is_tcp(slot& s, int fd) noexcept;
    ssize_t queue_send(slot& s, int fd, std::span<const std::byte> from);
    void prepare(outgoing& o) noexcept;
    void on_sent(outgoing& o, int result) noexcept;
    void take_back_send(slot& s) noexcept;

    enum class sleeper : int { awake, asleep, notified };

    int wake_ = -1;  // an eventfd, watched edge-triggered and never read
    bool wake_armed_ = false;
    std::atomic<sleeper> sleeper_{sleeper::awake};
    std::size_t attached_ = 0;  // and reads of files under way, which polling finds as well
    std::vector<slot> slots_;
    std::vector<std::unique_ptr<outgoing>> sends_;
    std::vector<outgoing*> spare_sends_;
    std::uint64_t sending_round_ = 0;
    unsigned sends_of_round_ = 0;
    node_list ready_;   // what poll() hands out next
    kernel_ring ring_;  // the last member: it ends before the memory that the kernel may still write to
};

}  // namespace crossover
