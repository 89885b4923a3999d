// Reading files.
#include "runtimes/event_loop/io/file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/what_of.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class file_test : public on_each_back_end {
  protected:
    void SetUp() override {
        path = testing::TempDir() + "crossover_file_" + std::to_string(::getpid()) + GetParam().name;
    }
    void TearDown() override { ::unlink(path.c_str()); }
    void write(const std::string& text) { std::ofstream(path) << text; }
    std::string path;
};
CROSSOVER_ON_EACH_BACK_END(file_test);

TEST_P(file_test, reads_a_whole_file_while_the_loop_goes_on) {
    std::string text(300'000, 'a');
    text += "end";  // not in one expression: GCC 12 then warns of bounds that it gets wrong
    write(text);
    run([](const std::string& at, const std::string& expected) -> coro<> {
        auto reading = create_task(read_file(at));
        int turns = 0;
        for (; !reading.done(); ++turns) co_await sleep(0ns);
        EXPECT_GE(turns, 2);
        EXPECT_EQ(expected, reading.result());
    }(path, text));
}

TEST_P(file_test, reads_files_that_tell_no_size_and_empty_ones) {
    write("");
    run([](const std::string& empty) -> coro<> {
        const std::string status = co_await read_file("/proc/self/status");
        EXPECT_EQ(0u, status.find("Name:"));
        const std::string nothing = co_await read_file(empty);
        EXPECT_EQ("", nothing);
    }(path));
}

TEST_P(file_test, reads_from_an_offset) {
    write("0123456789");
    run([](const std::string& at) -> coro<> {
        const file f = co_await open_file(at);
        std::array<char, 4> piece{};
        const auto bytes = std::as_writable_bytes(std::span(piece));
        std::size_t n = co_await f.read_at(bytes, 7);
        EXPECT_EQ(3u, n);
        EXPECT_EQ("789", std::string(piece.data(), 3));
        n = co_await f.read_at(bytes, 10);
        EXPECT_EQ(0u, n);
    }(path));
}

TEST_P(file_test, names_the_file_that_cannot_be_opened) {
    run([](const std::string& at) -> coro<> {
        std::string what;
        try {
            co_await read_file(at);
        } catch (const std::system_error& e) {
            what = e.what();
            EXPECT_EQ(ENOENT, e.code().value());
        }
        EXPECT_NE(std::string::npos, what.find("opening " + at));
    }(path));
}

TEST_P(file_test, a_cancelled_read_ends_cancelled_once_its_buffer_is_free) {
    write(std::string(1 << 20, 'x'));
    run([](const std::string& at) -> coro<> {
        const file f = co_await open_file(at);
        for (int i = 0; i < 20; ++i) {
            auto t = create_task([](const file& from) -> coro<std::size_t> {
                std::vector<std::byte> much(1 << 20);
                co_return co_await from.read_at(much, 0);
            }(f));
            co_await sleep(0ns);
            t.cancel();
            co_await until_done(t);
            EXPECT_TRUE(t.cancelled());
        }
    }(path));
}

TEST_P(file_test, a_cancelled_opening_leaves_no_descriptor_open) {
    write("text");
    run([](const std::string& at) -> coro<> {
        const auto descriptors = [] {
            const auto all = std::filesystem::directory_iterator("/proc/self/fd");
            return std::distance(begin(all), end(all));
        };
        const std::string first = co_await read_file(at);
        EXPECT_EQ("text", first);
        const auto before = descriptors();
        for (int turns = 0; turns < 200; ++turns) {
            auto reading = create_task(read_file(at));
            for (int i = 0; i < turns % 5; ++i) co_await sleep(0ns);
            ::usleep(static_cast<unsigned>(turns));  // the thread gets further each time
            reading.cancel();
            co_await until_done(reading);
        }
        co_await shutdown_default_executor();  // its threads have ended their calls
        co_await sleep(0ns);
        EXPECT_EQ(before, descriptors());
    }(path));
}

TEST_P(file_test, an_error_of_reading_names_the_file) {
    run([]() -> coro<> {
        const std::string what = co_await what_of<std::system_error>(read_file("/proc"));
        EXPECT_EQ(what, "reading /proc: Is a directory");
    }());
}

TEST_P(file_test, a_buffer_beyond_32_bits_takes_what_the_file_has) {
    write("12345");
    run([](const std::string& at) -> coro<> {
        const file f = co_await open_file(at);
        constexpr std::size_t much = std::size_t{1} << 32;
        void* const room =
            ::mmap(nullptr, much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        EXPECT_NE(MAP_FAILED, room);
        const std::span<std::byte> to(static_cast<std::byte*>(room), much);
        const std::size_t read = co_await f.read_at(to, 0);
        EXPECT_EQ(5u, read);
        ::munmap(room, much);
    }(path));
}

}  // namespace
}  // namespace crossover::asyncio
