// Reads files without blocking the loop.
#include "runtimes/event_loop/io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/loop/waiting.hpp"
#include "runtimes/reactor/io_uring_reactor.hpp"

namespace crossover::asyncio {
namespace {

// A read that the kernel makes; the task goes on when it is over, also when it was cancelled meanwhile.
class kernel_read_wait : public pending, file_read {
  public:
    kernel_read_wait(io_uring_reactor& r, int fd, std::span<std::byte> to, std::uint64_t offset) noexcept
        : file_read(&on_done), reactor_(r), fd_(fd), to_(to), offset_(offset) {}
    kernel_read_wait(const kernel_read_wait&) = delete;
    kernel_read_wait& operator=(const kernel_read_wait&) = delete;
    ~kernel_read_wait() {
        if (task_ && !done) reactor_.abandon(*this);
    }

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        task_ = &running_task();
        reactor_.read_file(fd_, to_, offset_, *this);
        park(*task_, h, *this);
    }
    ssize_t await_resume() const {
        check_interrupt(*task_);
        return result;
    }

  private:
    bool cancel(task_state& t, std::string_view message) override {
        if (done) return false;
        end_wait(t, message);
        return true;
    }
    std::string describe() const override {
        return "a read of the file on descriptor " + std::to_string(fd_);
    }
    static void on_done(node& n) {
        task_state& t = *static_cast<kernel_read_wait&>(n).task_;
        t.awaiting = nullptr;
        t.run(t);
    }

    io_uring_reactor& reactor_;
    int fd_;
    std::span<std::byte> to_;
    std::uint64_t offset_;
    task_state* task_ = nullptr;
};

// Owned from the beginning: a result that nobody awaits any more closes it.
file open_for_reading(std::string path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "opening " + path);
    return file(fd);
}

ssize_t read_in_thread(int fd, std::span<std::byte> to, std::uint64_t offset) {
    ssize_t n;
    do n = ::pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

// Not cancelled with its waiter: the thread writes to the buffer until it has ended.
coro<ssize_t> read_to_its_end(int fd, std::span<std::byte> to, std::uint64_t offset) {
    auto& executor = get_running_loop().use<default_executor>().get();
    const auto call = run_in_executor(executor, &read_in_thread, fd, to, offset);
    std::exception_ptr cancelled;
    while (!call.done()) {
        try {
            auto waited = shield(call);
            co_await waited;
        } catch (const cancelled_error&) {
            cancelled = std::current_exception();
        }
    }
    if (cancelled) std::rethrow_exception(cancelled);
    co_return call.result();
}

}  // namespace

file::~file() {
    if (fd_ >= 0) ::close(fd_);
}

coro<std::size_t> file::read_at(std::span<std::byte> to, std::uint64_t offset) const {
    ssize_t n = 0;
    if (auto* const ring = dynamic_cast<io_uring_reactor*>(&get_running_loop().io()))
        n = co_await kernel_read_wait(*ring, fd_, to, offset);
    else
        n = co_await read_to_its_end(fd_, to, offset);
    if (n < 0) throw std::system_error(static_cast<int>(-n), std::generic_category(), "reading a file");
    co_return static_cast<std::size_t>(n);
}

coro<file> open_file(std::string path) { return to_thread(&open_for_reading, std::move(path)); }

namespace {

coro<std::string> read_all(const file& f) {
    struct stat about {};
    std::string all;
    if (::fstat(f.fd(), &about) == 0 && about.st_size > 0)
        all.resize(static_cast<std::size_t>(about.st_size) + 1);  // one more, to see the end at once
    else
        all.resize(64 * 1024);
    std::size_t filled = 0;
    for (;;) {
        const auto room = std::as_writable_bytes(std::span(all).subspan(filled));
        const std::size_t n = co_await f.read_at(room, filled);
        if (n == 0) break;
        filled += n;
        if (filled == all.size()) all.resize(all.size() * 2);
    }
    all.resize(filled);
    co_return all;
}

}  // namespace

coro<std::string> read_file(std::string path) {
    const file f = co_await open_file(path);
    try {
        co_return co_await read_all(f);
    } catch (const std::system_error& e) {
        throw std::system_error(e.code(), "reading " + path);
    }
}

}  // namespace crossover::asyncio
