// Calls in other processes, and what remains when one dies.
#include "runtimes/event_loop/executors/process_executor.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <numeric>
#include <set>
#include <stdexcept>
#include <vector>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/executors/worker_process.hpp"
#include "runtimes/event_loop/loop/signals.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {

// Can be written but not read, or not even written.
struct stubborn {
    explicit stubborn(std::string t) : text(std::move(t)) {}
    std::string text;
};

template <>
struct codec<stubborn> {
    static void write(std::string& to, const stubborn& s) {
        if (s.text == "unwritable") throw codec_error("cannot be written");
        codec<std::string>::write(to, s.text);
    }
    static stubborn read(std::string_view& from) {
        stubborn s(codec<std::string>::read(from));
        if (s.text == "unreadable") throw codec_error("cannot be read");
        return s;
    }
};

namespace {

using namespace std::chrono_literals;

class process_executor_test : public on_each_back_end {};
CROSSOVER_ON_EACH_BACK_END(process_executor_test);

pid_t process_id() { return ::getpid(); }
int add(int a, int b) { return a + b; }
std::string reversed(const std::string& s) { return std::string(s.rbegin(), s.rend()); }
long sum_of(const std::vector<int>& all) { return std::accumulate(all.begin(), all.end(), 0L); }
int fails(int n) { throw std::out_of_range("no " + std::to_string(n)); }
void dies() { std::raise(SIGKILL); }
void exits() { ::_exit(3); }
void sleeps(int ms) { ::usleep(static_cast<unsigned>(ms) * 1000); }
std::size_t takes(const std::string& much) { return much.size(); }
std::string dies_with_much(const std::string&) {
    std::raise(SIGKILL);
    return {};
}
std::string gives(std::size_t bytes) { return std::string(bytes, 'x'); }
std::string pass(stubborn s) { return s.text; }
stubborn make(std::string text) { return stubborn(text); }

template <class T>
coro<std::string> end_of(future<T> f) {
    co_await until_done(f);
    if (f.cancelled()) co_return "cancelled";
    const std::exception_ptr e = f.exception();
    if (!e) co_return "well";
    try {
        std::rethrow_exception(e);
    } catch (const broken_process_pool&) {
        co_return "broken";
    } catch (const std::exception& known) {
        co_return known.what();
    }
}

TEST_P(process_executor_test, calls_functions_in_other_processes) {
    run([]() -> coro<> {
        process_executor pool(2);
        auto where = run_in_executor(pool, &process_id);
        const pid_t there = co_await where;
        EXPECT_NE(::getpid(), there);
        const auto [sum, text, total] =
            co_await gather(run_in_executor(pool, &add, 2, 3), run_in_executor(pool, &reversed, "abc"),
                            run_in_executor(pool, &sum_of, std::vector<int>(100'000, 2)));
        EXPECT_EQ(5, sum);
        EXPECT_EQ("cba", text);
        EXPECT_EQ(200'000, total);
        EXPECT_EQ(2u, pool.workers());
    }());
}

TEST_P(process_executor_test, conformance_123_exceptions_come_back_as_text_and_the_worker_lives_on) {
    run([]() -> coro<> {
        process_executor pool(1);
        auto where = run_in_executor(pool, &process_id);
        const pid_t before = co_await where;
        bool threw = false;
        try {
            auto failing = run_in_executor(pool, &fails, 7);
            co_await failing;
        } catch (const remote_error& e) {
            threw = true;
            EXPECT_EQ("std::out_of_range", e.type());
            EXPECT_STREQ("std::out_of_range: no 7", e.what());
        }
        EXPECT_TRUE(threw);
        where = run_in_executor(pool, &process_id);
        const pid_t after = co_await where;
        EXPECT_EQ(before, after);
    }());
}

TEST_P(process_executor_test,
       conformance_128_a_worker_that_dies_in_a_call_breaks_the_pool_and_nothing_hangs) {
    run([]() -> coro<> {
        for (void (*deadly)() : {&dies, &exits}) {
            process_executor pool(2);
            auto running = run_in_executor(pool, &sleeps, 10'000);
            auto dying = run_in_executor(pool, deadly);
            auto waiting = run_in_executor(pool, &add, 1, 2);
            auto end = co_await end_of(running);
            EXPECT_EQ("broken", end);
            end = co_await end_of(dying);
            EXPECT_EQ("broken", end);
            end = co_await end_of(waiting);
            EXPECT_EQ("broken", end);
            EXPECT_TRUE(pool.broken());
            EXPECT_THROW(static_cast<void>(run_in_executor(pool, &add, 1, 2)), broken_process_pool);
            co_await pool.shutdown();
        }
    }());
}

// The text, and the signal.
template <class T>
coro<std::pair<std::string, int>> death_in(future<T> f) {
    co_await until_done(f);
    try {
        std::rethrow_exception(f.exception());
    } catch (const broken_process_pool& e) {
        co_return std::pair(std::string(e.what()), e.signal());
    }
}

TEST_P(process_executor_test, a_call_whose_worker_died_is_told_how_and_others_that_another_did) {
    run([]() -> coro<> {
        process_executor pool(2);
        auto running = run_in_executor(pool, &sleeps, 10'000);
        auto dying = run_in_executor(pool, &dies);
        auto end = co_await death_in(dying);
        EXPECT_EQ(SIGKILL, end.second);
        EXPECT_NE(std::string::npos, end.first.find("during this call, by signal 9 (Killed)")) << end.first;
        end = co_await death_in(running);
        EXPECT_EQ(0, end.second);
        EXPECT_TRUE(end.first.starts_with("another worker process died, by signal 9")) << end.first;

        process_executor other(1);
        dying = run_in_executor(other, &exits);
        end = co_await death_in(dying);
        EXPECT_EQ(0, end.second);
        EXPECT_NE(std::string::npos, end.first.find("with exit status 3")) << end.first;
    }());
}

TEST_P(process_executor_test, conformance_128_with_much_data_in_flight) {
    run([]() -> coro<> {
        const std::string much(20 << 20, 'x');
        process_executor pool(1);
        const auto [there, back] =
            co_await gather(run_in_executor(pool, &takes, much), run_in_executor(pool, &gives, much.size()));
        EXPECT_EQ(much.size(), there);
        EXPECT_EQ(much, back);
        auto dying = run_in_executor(pool, &dies_with_much, much);
        auto waiting = run_in_executor(pool, &takes, much);
        auto end = co_await end_of(dying);
        EXPECT_EQ("broken", end);
        end = co_await end_of(waiting);
        EXPECT_EQ("broken", end);
    }());
}

TEST_P(process_executor_test, conformance_128_a_worker_killed_between_calls_breaks_the_pool) {
    run([]() -> coro<> {
        process_executor pool(1);
        auto where = run_in_executor(pool, &process_id);
        const pid_t idle = co_await where;
        ::kill(idle, SIGKILL);
        for (int i = 0; i < 1000 && !pool.broken(); ++i) co_await sleep(5ms);
        EXPECT_TRUE(pool.broken());
        EXPECT_THROW(static_cast<void>(run_in_executor(pool, &add, 1, 2)), broken_process_pool);
    }());
}

TEST_P(process_executor_test, conformance_129_what_cannot_be_written_or_read_fails_that_call_alone) {
    run([]() -> coro<> {
        process_executor pool(1);
        auto end = co_await end_of(run_in_executor(pool, &pass, stubborn("unwritable")));
        EXPECT_EQ("cannot be written", end);
        end = co_await end_of(run_in_executor(pool, &pass, stubborn("unreadable")));
        EXPECT_EQ("crossover::asyncio::codec_error: cannot be read", end);
        end = co_await end_of(run_in_executor(pool, &make, "unwritable"));
        EXPECT_EQ("crossover::asyncio::codec_error: cannot be written", end);
        end = co_await end_of(run_in_executor(pool, &make, "unreadable"));
        EXPECT_EQ("cannot be read", end);
        auto fine = run_in_executor(pool, &pass, stubborn("fine"));
        const std::string got = co_await fine;
        EXPECT_EQ("fine", got);
    }());
}

TEST_P(process_executor_test, conformance_130_workers_are_started_on_demand_and_used_again) {
    run([]() -> coro<> {
        process_executor pool(4);
        EXPECT_EQ(0u, pool.workers());
        std::set<pid_t> seen;
        for (int i = 0; i < 10; ++i) {
            auto where = run_in_executor(pool, &process_id);
            seen.insert(co_await where);
            co_await sleep(0ns);
        }
        EXPECT_EQ(1u, seen.size());
        EXPECT_EQ(1u, pool.workers());
    }());
}

TEST_P(process_executor_test, conformance_130_max_tasks_per_child_replaces_workers_and_never_stalls) {
    run([]() -> coro<> {
        process_executor_options options;
        options.max_tasks_per_child = 3;
        process_executor pool(1, options);
        std::vector<future<pid_t>> calls;
        calls.reserve(12);
        for (int i = 0; i < 12; ++i) calls.push_back(run_in_executor(pool, &process_id));
        const std::vector<pid_t> pids = co_await gather(calls);
        EXPECT_EQ(4u, std::set<pid_t>(pids.begin(), pids.end()).size());
        EXPECT_EQ(pids[0], pids[2]);
        EXPECT_NE(pids[2], pids[3]);
    }());
}

TEST_P(process_executor_test, conformance_132_shutdown_cancels_the_queued_and_finishes_the_running) {
    run([]() -> coro<> {
        process_executor pool(1);
        auto running = run_in_executor(pool, &sleeps, 1'000);
        auto queued = run_in_executor(pool, &add, 1, 2);
        co_await sleep(20ms);
        co_await pool.shutdown(true);
        auto end = co_await end_of(running);
        EXPECT_EQ("well", end);
        EXPECT_TRUE(queued.cancelled());
        EXPECT_THROW(static_cast<void>(run_in_executor(pool, &add, 1, 2)), std::runtime_error);
    }());
}

TEST_P(process_executor_test, a_call_that_has_not_begun_is_not_made_once_its_future_is_cancelled) {
    run([]() -> coro<> {
        process_executor pool(1);
        auto first = run_in_executor(pool, &sleeps, 20);
        auto deadly = run_in_executor(pool, &dies);
        auto last = run_in_executor(pool, &add, 1, 2);
        deadly.cancel();
        const int sum = co_await last;
        EXPECT_EQ(3, sum);
        EXPECT_TRUE(first.done());
    }());
}

// No descriptor is free while it lives.
class no_descriptors {
  public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        rlimit low = before_;
        low.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &low);
    }
    ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;

  private:
    rlimit before_{};
};

TEST_P(process_executor_test, a_worker_that_the_system_refuses_fails_the_call_with_the_systems_error) {
    run([]() -> coro<void> {
        process_executor executor(1);
        int error = 0;
        {
            const no_descriptors left;
            const auto call = run_in_executor(executor, &add, 1, 2);
            try {
                co_await call;
            } catch (const no_worker& e) {
                error = e.error();
            }
        }
        EXPECT_EQ(error, EMFILE);
        EXPECT_TRUE(executor.broken());
    }());
}

TEST_P(process_executor_test, an_executor_that_broke_is_replaced_by_one_with_the_same_nursery) {
    run([]() -> coro<void> {
        process_executor_options with;
        with.supervisor = std::make_shared<worker_supervisor>();
        {
            process_executor first(2, with);
            const auto death = run_in_executor(first, &dies);
            EXPECT_EQ(co_await end_of(death), "broken");
        }
        process_executor second(2, with);
        EXPECT_EQ(co_await run_in_executor(second, &add, 1, 2), 3);
    }());
}

TEST_P(process_executor_test, no_signal_that_the_process_group_gets_disturbs_a_call) {
    const pid_t apart = ::fork();  // in a group of its own
    if (apart == 0) {
        ::setsid();
        const int sum = run([]() -> coro<int> {
            process_executor pool(1);
            const int first = co_await run_in_executor(pool, &add, 1, 2);
            const auto of_the_group = {SIGINT,   SIGHUP,  SIGQUIT,  SIGTERM, SIGUSR1, SIGPIPE,
                                       SIGWINCH, SIGCONT, SIGURG,   SIGIO,   SIGPROF, SIGVTALRM,
                                       SIGPWR,   SIGALRM, SIGRTMIN, SIGRTMAX};
            for (const int s : of_the_group) add_signal_handler(get_running_loop(), s, [] {});
            auto call = run_in_executor(pool, &sleeps, 100);
            co_await sleep(10ms);
            for (const int s : of_the_group) ::kill(0, s);
            co_await call;
            co_return first;
        }());
        ::_exit(sum == 3 ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(apart, ::waitpid(apart, &status, 0));
    EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_P(process_executor_test, no_process_survives_its_executor) {
    run([]() -> coro<> {
        pid_t there = 0;
        {
            process_executor pool(1);
            auto where = run_in_executor(pool, &process_id);
            there = co_await where;
            auto endless = run_in_executor(pool, &sleeps, 100'000);
            co_await sleep(5ms);
        }
        for (int i = 0; i < 1000 && ::kill(there, 0) == 0; ++i) co_await sleep(5ms);
        EXPECT_NE(0, ::kill(there, 0));
    }());
}

}  // namespace
}  // namespace crossover::asyncio
