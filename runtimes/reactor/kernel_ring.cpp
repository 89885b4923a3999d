// The two queues shared with the kernel.
#include "runtimes/reactor/kernel_ring.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <string>
#include <system_error>

#include "runtimes/system/limits/limits.hpp"

namespace crossover {
namespace {

constexpr unsigned entries = 1024;
constexpr unsigned completions = 4096;

std::string reason_for(int error) {
    switch (error) {
        case ENOSYS:
            return "io_uring: this kernel has none; use epoll, or Linux 6.1 or later";
        case EPERM:
        case EACCES:
            return "io_uring: forbidden here; use epoll, or see sysctl kernel.io_uring_disabled and the "
                   "container's seccomp profile";
        case EINVAL:
            return "io_uring: this kernel is too old; use epoll, or Linux 6.1 or later";
        case ENOMEM:
            return "io_uring: not enough memory may be locked; use epoll, or raise ulimit -l";
        default:
            return with_descriptor_limit("io_uring: cannot be set up", error) + "; use epoll";
    }
}

bool is_given(long answer) { return answer >= 0 || !is_withheld(errno); }

}  // namespace

kernel_ring::kernel_ring() {
    io_uring_params params{};
    // Disabled until first used, because the loop may be made in another thread than the one that runs it.
    params.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                   IORING_SETUP_CQSIZE;
    params.cq_entries = completions;
    const int failed = ::io_uring_queue_init_params(entries, &ring_, &params);
    if (failed) throw std::system_error(-failed, std::generic_category(), reason_for(-failed));
    // A ring that is disabled refuses to be entered, and has no buffers to take back; a filter refuses
    // otherwise.
    const bool both_given =
        is_given(::syscall(SYS_io_uring_enter, ring_.ring_fd, 0, 0, 0, nullptr, 0)) &&
        is_given(::syscall(SYS_io_uring_register, ring_.ring_fd, IORING_UNREGISTER_BUFFERS, nullptr, 0));
    if (!both_given) {
        const int error = errno;
        ::io_uring_queue_exit(&ring_);
        throw std::system_error(error, std::generic_category(), reason_for(error));
    }
    ::io_uring_ring_dontfork(&ring_);  // a child that wrote to the queues would write to the parent's
}

kernel_ring::~kernel_ring() {
    if (mark_.of_this_process())
        ::io_uring_queue_exit(&ring_);
    else
        ::close(ring_.ring_fd);  // the queues are not mapped here, and something else may be in their place
}

io_uring_sqe& kernel_ring::next_entry() noexcept {
    static thread_local io_uring_sqe lost;
    io_uring_sqe* e = ::io_uring_get_sqe(&ring_);
    while (!e) {
        if (submit() != 0) return lost = {};
        e = ::io_uring_get_sqe(&ring_);
    }
    return *e;
}

int kernel_ring::enable() noexcept {
    if (enabled_) return 0;
    // Not every liburing exports io_uring_enable_rings().
    enabled_ = ::syscall(SYS_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0) == 0;
    return enabled_ ? 0 : -errno;
}

// EAGAIN, EBUSY: the kernel is short of memory for the moment, and what it did not take stays queued.
int kernel_ring::error_in(int answer) noexcept {
    const bool harmless =
        answer >= 0 || answer == -ETIME || answer == -EINTR || answer == -EAGAIN || answer == -EBUSY;
    if (harmless) return 0;
    if (answer != -EEXIST) failed_ = -answer;
    return -answer;
}

int kernel_ring::submit() noexcept {
    if (failed_) return failed_;
    int answer = enable();
    ++round_;
    if (!answer) answer = ::io_uring_submit_and_get_events(&ring_);
    assert(answer != -EEXIST && "an io_uring loop belongs to the thread that first used it");
    return error_in(answer);
}

bool kernel_ring::something_to_do() const noexcept {
    return ::io_uring_sq_ready(&ring_) != 0 ||
           (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

int kernel_ring::wait(std::chrono::nanoseconds timeout) noexcept {
    if (failed_) return failed_;
    int answer = enable();
    if (answer) return error_in(answer);
    ++round_;
    if (timeout.count() == 0) {
        if (something_to_do()) answer = ::io_uring_submit_and_get_events(&ring_);
    } else if (timeout.count() < 0) {
        answer = ::io_uring_submit_and_wait(&ring_, 1);
    } else {
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(timeout);
        __kernel_timespec time{};
        time.tv_sec = whole.count();
        time.tv_nsec = (timeout - whole).count();
        io_uring_cqe* first = nullptr;
        answer = ::io_uring_submit_and_wait_timeout(&ring_, &first, 1, &time, nullptr);
    }
    return error_in(answer);
}

void kernel_ring::cancel_and_wait(std::uint64_t key) noexcept {
    io_uring_sync_cancel_reg what{};
    what.addr = key;
    what.fd = -1;
    what.timeout.tv_sec = what.timeout.tv_nsec = -1;  // none
    ::io_uring_register_sync_cancel(&ring_, &what);
}

}  // namespace crossover
