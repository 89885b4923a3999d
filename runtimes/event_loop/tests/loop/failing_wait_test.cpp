// What becomes of a loop that the system no longer lets wait: run() ends with the error, and nothing is left.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/shield.hpp"
#include "runtimes/event_loop/combinators/task_group.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/combinators/wait.hpp"
#include "runtimes/event_loop/executors/process_executor.hpp"
#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/io/file.hpp"
#include "runtimes/event_loop/io/server.hpp"
#include "runtimes/event_loop/loop/signals.hpp"
#include "runtimes/event_loop/loop/watch.hpp"
#include "runtimes/event_loop/sync/lock.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tasks/with.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"
#include "tests/faults/withhold.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

// All with which a back end waits or hands in.
void withhold_waiting() {
    std::vector<int> calls{SYS_epoll_pwait, SYS_epoll_pwait2, SYS_io_uring_enter};
#ifdef SYS_epoll_wait
    calls.push_back(SYS_epoll_wait);
#endif
    if (!withhold(EPERM, calls)) throw std::logic_error("a filter was allowed before");
}

// How many there are.
struct witness {
    witness() { ++alive; }
    witness(const witness&) = delete;
    witness& operator=(const witness&) = delete;
    ~witness() { --alive; }
    static inline int alive = 0;
};

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

using situation = coro<> (*)();

coro<> sleeps_long() { co_await sleep(1h); }

coro<> reads_over(transport over) {
    auto [ours, theirs] = connected(over);
    co_await reads(ours, loop::deadline_after(1h));
}
coro<> reads_a_socket() { co_await reads_over(transport::unix_socket); }
coro<> reads_a_connection() { co_await reads_over(transport::tcp); }

coro<> sends_more_than_fits() {
    auto [ours, theirs] = connected(transport::tcp);
    const std::string little(100, 'x');
    for (;;) co_await sock_sendall(ours, bytes_of(little));
}

coro<> accepts() {
    listener at;
    const socket client = co_await sock_accept(at.own);
}

coro<> reads_a_file_that_has_nothing_yet() {
    std::array<int, 2> ends{};
    EXPECT_EQ(0, ::pipe2(ends.data(), O_CLOEXEC));
    const socket writes(ends[1]);
    const file f(ends[0]);
    std::array<std::byte, 16> to;
    co_await f.read_at(to, static_cast<std::uint64_t>(-1));
}

void sleep_for_ms(int ms) { ::usleep(static_cast<unsigned>(ms) * 1000); }
coro<> calls_in_a_thread() { co_await to_thread(&sleep_for_ms, 50); }
coro<> calls_in_a_process() {
    process_executor executor(1);
    co_await run_in_executor(executor, &sleep_for_ms, 50);
}

coro<> gathers() { co_await gather(sleeps_long(), reads_a_socket(), gather(sleeps_long(), sleeps_long())); }
coro<> shields() { co_await shield(sleeps_long()); }
coro<> waits() {
    std::vector<task<>> both;
    both.push_back(create_task(sleeps_long()));
    both.push_back(create_task(reads_a_connection()));
    co_await wait(both);
}
coro<> groups() {
    task_group group;
    co_await with(group, [](task_group& g) -> coro<> {
        static_cast<void>(g.create_task(sleeps_long()));
        static_cast<void>(g.create_task(reads_a_socket()));
        co_await sleep(1h);
    });
}
coro<> has_a_timeout() { co_await timeout(1h, reads_a_socket()); }

coro<> locks() {
    lock one;
    co_await one.acquire();
    co_await one.acquire();
}
coro<> takes_from_a_queue() {
    queue<int> empty;
    co_await empty.get();
}

coro<> serves() {
    const auto echoes = [](stream_reader reader, stream_writer writer) -> coro<> {
        const witness here;
        for (;;) {
            const std::string line = co_await reader.readline();
            writer.write(line);
            co_await writer.drain();
        }
    };
    const server s = co_await start_server(echoes, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
    writer.write("a line\n");
    co_await reader.readline();
    writer.write("half a line");
    co_await reader.readline();
}

coro<> watches() {
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const std::shared_ptr<const int> closes(&fd, [](const int* f) { ::close(*f); });
    add_reader(get_running_loop(), fd, [] {});
    add_signal_handler(get_running_loop(), SIGUSR1, [] {});
    co_await sleep(1h);
}

// Its clean-up waits as well.
coro<> cleans_up() {
    std::exception_ptr cancelled;
    try {
        co_await sleep(1h);
    } catch (const cancelled_error&) {
        cancelled = std::current_exception();
    }
    co_await sleep(1h);
    std::rethrow_exception(cancelled);
}

const std::vector<std::pair<const char*, situation>> situations{
    {"a sleep", &sleeps_long},
    {"a read of a socket", &reads_a_socket},
    {"a read of a connection", &reads_a_connection},
    {"a send that does not fit", &sends_more_than_fits},
    {"an accept", &accepts},
    {"a read of a file", &reads_a_file_that_has_nothing_yet},
    {"a call in a thread", &calls_in_a_thread},
    {"a call in a process", &calls_in_a_process},
    {"gather", &gathers},
    {"shield", &shields},
    {"wait", &waits},
    {"a group", &groups},
    {"a timeout", &has_a_timeout},
    {"a lock", &locks},
    {"a queue", &takes_from_a_queue},
    {"a server", &serves},
    {"a watched descriptor and a signal", &watches},
    {"a clean-up that waits", &cleans_up},
};

coro<> witnessed(situation s) {
    const witness here;
    co_await s();
}

coro<int> loses_the_wait(std::vector<situation> all) {
    const witness here;
    std::vector<task<>> pending;
    for (const situation s : all) pending.push_back(create_task(witnessed(s)));
    for (int i = 0; i < 5; ++i) co_await sleep(2ms);
    withhold_waiting();
    co_await sleep(1h);
    co_return 1;
}

class failing_wait_test : public on_each_back_end {
  protected:
    // In a container or an emulator filters may not be allowed.
    void SetUp() override {
        int error = 0;
        std::thread filtered([&error] { error = withhold(EPERM, {}) ? 0 : errno; });
        filtered.join();
        if (error != 0) GTEST_SKIP() << "no filters here: " << std::strerror(error);
    }
    std::string expected() const {
        const std::string call = GetParam().make == &make_epoll_reactor ? "epoll_wait" : "io_uring_enter";
        return call + ": Operation not permitted";
    }
    // Of a run() in whose midst it happens.
    std::string error_of(const std::vector<situation>& all) {
        std::string error = "none";
        std::thread filtered([&] {  // a filter stays with its thread
            try {
                run(loses_the_wait(all));
            } catch (const std::system_error& e) {
                error = e.what();
            }
        });
        filtered.join();
        return error;
    }
};
CROSSOVER_ON_EACH_BACK_END(failing_wait_test);

TEST_P(failing_wait_test, run_ends_with_the_error_and_leaves_nothing_behind_whatever_was_waited_for) {
    for (const auto& [name, s] : situations) {
        const std::size_t before = open_descriptors();
        const auto error = error_of({s});
        EXPECT_EQ(expected(), error) << name;
        EXPECT_EQ(0, witness::alive) << name;
        EXPECT_EQ(before, open_descriptors()) << name;
    }
}

TEST_P(failing_wait_test, so_it_does_when_all_of_it_is_waited_for_at_once) {
    const std::size_t before = open_descriptors();
    std::vector<situation> all;
    for (const auto& [name, s] : situations) all.push_back(s);
    const auto error = error_of(all);
    EXPECT_EQ(expected(), error);
    EXPECT_EQ(0, witness::alive);
    EXPECT_EQ(before, open_descriptors());
}

TEST_P(failing_wait_test, a_runner_whose_run_has_failed_can_be_asked_again_and_closed) {
    std::string first = "none", second = "none";
    std::thread filtered([&] {
        runner r(options());
        const auto error = [&r](coro<int> main) -> std::string {
            try {
                r.run(std::move(main));
            } catch (const std::system_error& e) {
                return e.what();
            }
            return "none";
        };
        first = error(loses_the_wait({&reads_a_socket}));
        const auto waits_again = []() -> coro<int> {
            co_await sleep(1h);
            co_return 0;
        };
        second = error(waits_again());
    });
    filtered.join();
    EXPECT_EQ(expected(), first);
    EXPECT_EQ(expected(), second);
    EXPECT_EQ(0, witness::alive);
}

TEST_P(failing_wait_test, more_descriptors_are_let_go_than_a_ring_has_entries) {
    std::vector<situation> all(700, &reads_a_socket);
    const std::size_t before = open_descriptors();
    const auto error = error_of(all);
    EXPECT_EQ(expected(), error);
    EXPECT_EQ(before, open_descriptors());
}

}  // namespace
}  // namespace crossover::asyncio
