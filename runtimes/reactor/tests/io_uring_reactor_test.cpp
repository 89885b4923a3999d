// Tests of the io_uring reactor alone.
#include "runtimes/reactor/io_uring_reactor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

namespace crossover {
namespace {

using namespace std::chrono_literals;

// As a container's seccomp profile does.
void forbid_io_uring(int error) {
    std::array<sock_filter, 4> program{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    sock_fprog filter{program.size(), program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        std::_Exit(3);
}

[[noreturn]] void print_refusal(int error) {
    forbid_io_uring(error);
    try {
        const io_uring_reactor r;
    } catch (const std::system_error& e) {
        std::fprintf(stderr, "%d %s\n", e.code().value(), e.what());
        std::_Exit(0);
    }
    std::_Exit(1);
}

// Empty where there is io_uring; a container's filter and an emulator give none.
std::string why_refused() {
    try {
        const io_uring_reactor r;
        return "";
    } catch (const std::system_error& e) {
        return e.code().value() == EPERM || e.code().value() == ENOSYS ? e.what() : "";
    }
}

TEST(io_uring_reactor, says_in_one_line_why_it_is_refused) {
    if (const std::string why = why_refused(); !why.empty()) GTEST_SKIP() << why;
    EXPECT_EXIT(print_refusal(EPERM), testing::ExitedWithCode(0),
                "^1 io_uring: forbidden here; use epoll, or [^\n]*kernel.io_uring_disabled[^\n]*\n$");
    EXPECT_EXIT(print_refusal(ENOSYS), testing::ExitedWithCode(0),
                "^38 io_uring: this kernel has none; use epoll, or Linux 6.1 or later[^\n]*\n$");
}

TEST(io_uring_reactor, may_be_made_in_another_thread_than_the_one_that_polls) {
    if (const std::string why = why_refused(); !why.empty()) GTEST_SKIP() << why;
    io_uring_reactor r;
    std::thread other([&] {
        node_list ready;
        r.poll(1ms, ready);
        r.poll(0ns, ready);
    });
    other.join();
    node_list ready;
    EXPECT_THROW(r.poll(1ms, ready), std::system_error) << "but then it is that thread's";
}

struct counted_read : file_read {
    counted_read() : file_read([](node& n) { ++static_cast<counted_read&>(n).runs; }) {}
    int runs = 0;
};

TEST(io_uring_reactor, reads_files) {
    if (const std::string why = why_refused(); !why.empty()) GTEST_SKIP() << why;
    io_uring_reactor r;
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    std::array<std::byte, 16> start{};
    counted_read first, beyond;
    r.read_file(file, start, 0, first);
    r.read_file(file, start, std::uint64_t{1} << 40, beyond);
    for (int i = 0; i < 100 && first.runs + beyond.runs < 2; ++i) {
        node_list ready;
        r.poll(1s, ready);
        while (!ready.empty()) {
            node& n = ready.pop_front();
            n.run(n);
        }
    }
    EXPECT_EQ(1, first.runs);
    EXPECT_EQ(16, first.result);
    EXPECT_EQ(std::byte{'E'}, start[1]) << "an ELF file";
    EXPECT_EQ(1, beyond.runs);
    EXPECT_EQ(0, beyond.result);
    counted_read abandoned;
    r.read_file(file, start, 0, abandoned);
    r.abandon(abandoned);
    EXPECT_TRUE(abandoned.done);
    node_list ready;
    r.poll(0ns, ready);
    EXPECT_TRUE(ready.empty());
    ::close(file);
}

}  // namespace
}  // namespace crossover
