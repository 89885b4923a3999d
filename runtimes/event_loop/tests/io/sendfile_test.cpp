// Sending files over sockets.
#include "runtimes/event_loop/io/sendfile.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class sendfile_test : public on_each_back_end {
  public:
    void SetUp() override {
        path_ = testing::TempDir() + "crossover_sendfile_" + std::to_string(::getpid()) + GetParam().name;
        int ends[2];
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        ours = socket(ends[0]);
        theirs = socket(ends[1]);
    }
    void TearDown() override { ::unlink(path_.c_str()); }
    void write(const std::string& text) { std::ofstream(path_) << text; }
    coro<file> open() { return open_file(path_); }

    socket ours;
    socket theirs;

  private:
    std::string path_;
};
CROSSOVER_ON_EACH_BACK_END(sendfile_test);

coro<std::string> reads(socket& s, std::size_t bytes) {
    std::string all;
    std::array<std::byte, 4096> buffer;
    while (all.size() < bytes) {
        const std::size_t n = co_await sock_recv(s, buffer);
        if (n == 0) break;
        all.append(reinterpret_cast<const char*>(buffer.data()), n);
    }
    co_return all;
}

TEST_P(sendfile_test, a_whole_file_or_a_part_of_it_is_sent) {
    write("0123456789");
    run([](sendfile_test& self) -> coro<> {
        const file f = co_await self.open();
        const std::size_t all = co_await sock_sendfile(self.ours, f);
        EXPECT_EQ(all, 10u);
        const std::size_t part = co_await sock_sendfile(self.ours, f, 2, 3);
        EXPECT_EQ(part, 3u);
        const std::size_t rest = co_await sock_sendfile(self.ours, f, 7, 100);
        EXPECT_EQ(rest, 3u) << "it stops at the end of the file";
        const std::size_t none = co_await sock_sendfile(self.ours, f, 10);
        EXPECT_EQ(none, 0u);
        EXPECT_THROW(static_cast<void>(sock_sendfile(self.ours, f, 0, 0)), std::invalid_argument);
        const std::string got = co_await reads(self.theirs, 16);
        EXPECT_EQ(got, "0123456789234789");
    }(*this));
}

TEST_P(sendfile_test, a_file_that_does_not_fit_waits_for_the_peer_while_the_loop_goes_on) {
    std::string text;
    for (int i = 0; text.size() < (2u << 20); ++i) text += std::to_string(i) + " ";
    write(text);
    run([](sendfile_test& self, const std::string& expected) -> coro<> {
        const file f = co_await self.open();
        const task<std::size_t> sending = create_task(sock_sendfile(self.ours, f));
        for (int i = 0; i < 3; ++i) co_await sleep(0ns);
        EXPECT_FALSE(sending.done());
        const std::string got = co_await reads(self.theirs, expected.size());
        const std::size_t sent = co_await sending;
        EXPECT_EQ(sent, expected.size());
        EXPECT_TRUE(got == expected);
    }(*this, text));
}

TEST_P(sendfile_test, a_cancelled_one_leaves_the_socket_free_for_the_next) {
    write(std::string(2u << 20, 'x'));
    run([](sendfile_test& self) -> coro<> {
        const file f = co_await self.open();
        const task<std::size_t> sending = create_task(sock_sendfile(self.ours, f));
        for (int i = 0; i < 3; ++i) co_await sleep(0ns);
        sending.cancel();
        co_await until_done(sending);
        EXPECT_TRUE(sending.cancelled());
        const task<std::size_t> again = create_task(sock_sendfile(self.ours, f, 0, 5));
        const task<std::string> reading = create_task(reads(self.theirs, 8u << 20));
        const std::size_t sent = co_await again;
        EXPECT_EQ(sent, 5u);
        self.ours.close();
        const std::string got = co_await reading;
        EXPECT_GE(got.size(), 5u);
    }(*this));
}

TEST_P(sendfile_test, a_peer_that_is_gone_is_an_error_and_no_signal) {
    write("text");
    run([](sendfile_test& self) -> coro<> {
        const file f = co_await self.open();
        self.theirs.close();
        int error = 0;
        try {
            static_cast<void>(co_await sock_sendfile(self.ours, f));
        } catch (const std::system_error& e) {
            error = e.code().value();
        }
        EXPECT_EQ(error, EPIPE);
    }(*this));
}

}  // namespace
}  // namespace crossover::asyncio
