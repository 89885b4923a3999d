// A child that fork() has made: runs loops of its own, and changes nothing of its parent's.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>

#include "runtimes/event_loop/executors/process_executor.hpp"
#include "runtimes/event_loop/executors/thread_executor.hpp"
#include "runtimes/event_loop/io/server.hpp"
#include "runtimes/event_loop/loop/signals.hpp"
#include "runtimes/event_loop/loop/watch.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class fork_test : public on_each_back_end {
  public:
    using on_each_back_end::options;
    // Sockets, timers, signals and threads.
    void use_a_loop() {
        run([]() -> coro<> {
            auto [ours, theirs] = connected(transport::unix_socket);
            const task<std::string> reading = create_task(reads(ours));
            co_await sleep(1ms);
            co_await sock_sendall(theirs, bytes_of("own"));
            const std::string text = co_await reading;
            EXPECT_EQ("own", text);
            future<void> signalled(get_running_loop());
            add_signal_handler(get_running_loop(), SIGUSR1, [&] { signalled.set_result(); });
            ::kill(::getpid(), SIGUSR1);
            co_await signalled;
#if !defined(__SANITIZE_THREAD__)  // which allows no thread here
            const int answer = co_await to_thread([] { return 42; });
            EXPECT_EQ(42, answer);
#endif
        }());
    }
};
CROSSOVER_ON_EACH_BACK_END(fork_test);

coro<> sleep_once() { co_await sleep(0ns); }

// Whether the child came to its end without a failure.
bool child_does(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(60);
        try {
            body();
        } catch (const std::exception& e) {
            ADD_FAILURE() << e.what();
        }
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = -1;
    EXPECT_EQ(child, ::waitpid(child, &status, 0));
    return status == 0;
}

TEST_P(fork_test, a_child_of_a_running_loop_runs_one_of_its_own) {
    auto [ours, theirs] = connected(transport::unix_socket);
    run([](fork_test& test, socket& in, socket& out) -> coro<> {
        int reader_calls = 0;
        const task<std::string> reading = create_task(reads(in));
        add_reader(get_running_loop(), out.fd(), [&] {
            ++reader_calls;
            EXPECT_EQ("to out", read_plainly(out.fd()));
        });
        add_signal_handler(get_running_loop(), SIGUSR1, [] { ADD_FAILURE() << "the child's signal"; });
        co_await sleep(1ms);
        EXPECT_TRUE(child_does([&] { test.use_a_loop(); }));
        EXPECT_EQ(6, ::send(in.fd(), "to out", 6, 0));
        co_await sleep(1ms);
        EXPECT_EQ(1, reader_calls) << "the parent goes on as if nothing had been";
        remove_reader(get_running_loop(), out.fd());
        co_await sock_sendall(out, bytes_of("to in"));
        const std::string text = co_await reading;
        EXPECT_EQ("to in", text);
    }(*this, ours, theirs));
}

TEST_P(fork_test, a_child_may_use_what_the_parents_loop_watches_in_its_own) {
    auto [ours, theirs] = connected(transport::tcp);
    run([](fork_test& test, socket& in, socket& out) -> coro<> {
        const task<std::string> reading = create_task(reads(in));
        co_await sleep(1ms);
        reading.cancel();
        co_await until_done(reading);
        EXPECT_TRUE(child_does([&] {
            EXPECT_EQ("sent", asyncio::run(
                                  [](socket& from, socket& to) -> coro<std::string> {
                                      const task<std::string> here = create_task(reads(from));
                                      co_await sleep(1ms);
                                      co_await sock_sendall(to, bytes_of("sent"));
                                      co_return co_await here;
                                  }(in, out),
                                  test.options()));
            in.close();
        }));
        const task<std::string> again = create_task(reads(in));
        co_await sleep(1ms);
        co_await sock_sendall(out, bytes_of("parent"));
        const std::string text = co_await again;
        EXPECT_EQ("parent", text) << "what the child closed is open here, and watched";
    }(*this, ours, theirs));
}

TEST_P(fork_test, closing_the_copies_of_a_child_leaves_the_parents_alone) {
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("fork_test." + std::to_string(::getpid()));
    auto own = std::make_unique<loop>(options());
    auto [ours, theirs] = connected(transport::tcp);
    int reader_calls = 0;
    std::optional<stream_pair> stream;
    int signals = 0;
    own->run_until_complete([](loop& l, socket& in, std::filesystem::path at, int& calls, int& seen,
                               std::optional<stream_pair>& made) -> coro<> {
        add_reader(l, in.fd(), [&] { calls += read_plainly(in.fd()) == "x"; });
        add_signal_handler(l, SIGUSR2, [&] { ++seen; });
        const auto echo = [](stream_reader r, stream_writer w) -> coro<> {
            const std::string text = co_await r.read(4);
            w.write(text);
        };
        const server s = co_await start_unix_server(echo, at.string());
        made = co_await open_unix_connection(at.string());
        const int answer = co_await to_thread([] { return 7; });
        EXPECT_EQ(7, answer);
        co_await sleep(1ms);
    }(*own, ours, path, reader_calls, signals, stream));
    EXPECT_TRUE(child_does([&] {
        EXPECT_THROW(own->run_until_complete(sleep_once()), std::logic_error);
        stream->second.abort();
        remove_reader(*own, ours.fd());
        own.reset();
        use_a_loop();
    }));
    EXPECT_TRUE(std::filesystem::exists(path)) << "the socket of the parent's server";
    EXPECT_EQ(1, ::send(theirs.fd(), "x", 1, 0));
    ::kill(::getpid(), SIGUSR2);
    const std::string echoed = own->run_until_complete([](const stream_pair& s) -> coro<std::string> {
        s.second.write("echo");
        co_return co_await s.first.readexactly(4);
    }(*stream));
    EXPECT_EQ("echo", echoed);
    own->run_until_complete([](int& calls, int& seen) -> coro<> {
        while (calls == 0 || seen == 0) co_await sleep(1ms);
    }(reader_calls, signals));
    stream.reset();
    own.reset();
    EXPECT_FALSE(std::filesystem::exists(path));
}

int twice(int n) { return 2 * n; }

TEST_P(fork_test, the_executors_of_a_parent_outlive_their_copies) {
    run([](fork_test& test) -> coro<> {
        auto threads = std::make_unique<thread_executor>(2);
        auto processes = std::make_unique<process_executor>(1);
        const auto ask_thread = [&]() -> coro<int> {
            co_return co_await run_in_executor(*threads, &twice, 4);
        };
        const auto ask_process = [&]() -> coro<int> {
            co_return co_await run_in_executor(*processes, &twice, 5);
        };
        int n = co_await ask_thread();
        EXPECT_EQ(8, n);
        n = co_await ask_process();
        EXPECT_EQ(10, n);
        EXPECT_TRUE(child_does([&] {
            const auto refuses = [&](coro<int> call) {
                EXPECT_THROW(asyncio::run(std::move(call), test.options()), std::runtime_error);
            };
            refuses(ask_thread());
            refuses(ask_process());
            threads.reset();
            processes.reset();
            test.use_a_loop();
        }));
        n = co_await ask_thread();
        EXPECT_EQ(8, n);
        n = co_await ask_process();
        EXPECT_EQ(10, n);
    }(*this));
}

TEST_P(fork_test, a_child_that_goes_on_in_its_parents_loop_is_told_so) {
    run([]() -> coro<> { co_await sleep(0ns); }());
    EXPECT_TRUE(child_does([&] {
        bool in_child = false;
        std::string error = "none";
        try {
            run([](bool& forked) -> coro<> {
                co_await sleep(1ms);
                if (const pid_t child = ::fork(); child == 0) {
                    forked = true;
                    co_await sleep(1ms);
                    ADD_FAILURE() << "the parent's loop has gone on in the child";
                } else {
                    ::waitpid(child, nullptr, 0);
                }
            }(in_child));
        } catch (const std::logic_error& e) {
            error = e.what();
        }
        if (in_child) {
            EXPECT_NE(std::string::npos, error.find("make another in the child")) << error;
            ::_exit(testing::Test::HasFailure() ? 1 : 0);
        }
        EXPECT_EQ("none", error);
    }));
}

TEST_P(fork_test, signals_of_a_child_do_what_they_did_before_its_parent_had_a_handler) {
    run([]() -> coro<> {
        int seen = 0;
        add_signal_handler(get_running_loop(), SIGTERM, [&] { ++seen; });
        const pid_t child = ::fork();
        if (child == 0) {
            ::raise(SIGTERM);
            ::_exit(1);
        }
        int status = 0;
        EXPECT_EQ(child, ::waitpid(child, &status, 0));
        EXPECT_TRUE(WIFSIGNALED(status));
        co_await sleep(1ms);
        EXPECT_EQ(0, seen);
        ::raise(SIGTERM);
        while (seen == 0) co_await sleep(1ms);
        remove_signal_handler(get_running_loop(), SIGTERM);
    }());
}

}  // namespace
}  // namespace crossover::asyncio
