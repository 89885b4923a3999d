// job_batch: each job once, in order, bounded, and stoppable.
#include "runtimes/event_loop/combinators/job_batch.hpp"

#include <numeric>

#include "runtimes/event_loop/tests/on_each_back_end.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class job_batch_test : public on_each_back_end {};

struct record {
    std::vector<int> started, ended;
    std::size_t alive = 0, most_alive = 0;
    int failures = 0, cancellations = 0;
    job_batch* stop_at_failure = nullptr;
    std::size_t fails_at = SIZE_MAX;
    std::size_t together = 0;  // so many are to be alive at once before one that sleeps ends

    static void note_end(void* self, std::size_t index, const std::exception_ptr& error) {
        auto& r = *static_cast<record*>(self);
        r.ended.push_back(static_cast<int>(index));
        if (is_cancelled_error(error))
            ++r.cancellations;
        else if (error)
            ++r.failures;
        if (error && r.stop_at_failure) r.stop_at_failure->stop();
    }
};

struct alive_mark {
    explicit alive_mark(record& r) : own(r) { own.most_alive = std::max(own.most_alive, ++own.alive); }
    ~alive_mark() { --own.alive; }
    record& own;
};

coro<> plain(void* self, std::size_t index) {
    auto& r = *static_cast<record*>(self);
    r.started.push_back(static_cast<int>(index));
    if (index == r.fails_at) throw std::runtime_error("plain");
    return coro<>();
}
coro<> sleeping(void* self, std::size_t index) {
    auto& r = *static_cast<record*>(self);
    r.started.push_back(static_cast<int>(index));
    const alive_mark mark(r);
    co_await sleep(0ns);
    if (index == r.fails_at) throw std::runtime_error("coroutine");
    for (int rounds = 0; r.most_alive < r.together && rounds < 10'000; ++rounds) co_await sleep(0ns);
    co_await sleep(1ms);
}
coro<> mixed(void* self, std::size_t index) { return index % 2 ? sleeping(self, index) : plain(self, index); }

std::vector<int> numbers(int n) {
    std::vector<int> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    return all;
}

TEST_P(job_batch_test, runs_each_job_once_in_order_whatever_its_kind) {
    for (auto job : {&plain, &sleeping, &mixed}) {
        for (int n : {0, 1, 2, 64, 65, 300}) {
            for (std::size_t in_flight : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
                if (n > 65 && in_flight == 1 && job != &plain) continue;
                record r;
                if (job == &sleeping) r.together = std::min(in_flight, static_cast<std::size_t>(n));
                auto body = [&]() -> coro<> {
                    job_batch batch(static_cast<std::size_t>(n), in_flight, job, &record::note_end, &r);
                    co_await batch;
                    EXPECT_EQ(all_tasks().size(), 1u);
                };
                run(body());
                EXPECT_EQ(r.started, numbers(n));
                std::sort(r.ended.begin(), r.ended.end());
                EXPECT_EQ(r.ended, numbers(n));
                EXPECT_LE(r.most_alive, in_flight);
                if (job == &sleeping) {
                    EXPECT_EQ(r.most_alive, r.together);
                }
            }
        }
    }
}

TEST_P(job_batch_test, other_callbacks_run_between_the_jobs) {
    record r;
    auto body = [&]() -> coro<> {
        std::size_t seen = 0;
        get_running_loop().call_later(0ns, [&] { seen = r.started.size(); });
        job_batch batch(1000, 1000, &plain, &record::note_end, &r);
        co_await batch;
        EXPECT_GT(seen, 0u);
        EXPECT_LT(seen, 1000u);
    };
    run(body());
}

TEST_P(job_batch_test, a_failure_ends_one_job_only) {
    for (auto job : {&plain, &sleeping}) {
        record r;
        r.fails_at = 5;
        auto body = [&]() -> coro<> {
            job_batch batch(20, 4, job, &record::note_end, &r);
            co_await batch;
        };
        run(body());
        EXPECT_EQ(r.ended.size(), 20u);
        EXPECT_EQ(r.failures, 1);
        EXPECT_EQ(r.cancellations, 0);
    }
}

TEST_P(job_batch_test, stop_starts_no_more_and_cancels_what_is_alive) {
    record r;
    r.fails_at = 5;
    auto body = [&]() -> coro<> {
        job_batch batch(1000, 10, &sleeping, &record::note_end, &r);
        r.stop_at_failure = &batch;
        co_await batch;
        EXPECT_TRUE(batch.stopped());
    };
    run(body());
    EXPECT_EQ(r.failures, 1);
    EXPECT_EQ(r.started.size(), 10u);
    EXPECT_EQ(r.cancellations, 9);
    EXPECT_EQ(r.alive, 0u);
}

TEST_P(job_batch_test, cancelling_the_waiting_task_stops_the_batch_and_throws_when_all_have_ended) {
    record r;
    auto waits = [&]() -> coro<> {
        job_batch batch(1000, 10, &sleeping, &record::note_end, &r);
        co_await batch;
    };
    auto body = [&]() -> coro<> {
        task<> t = create_task(waits());
        co_await sleep(0ns);
        co_await sleep(0ns);
        t.cancel("outer");
        co_await until_done(t);
        EXPECT_TRUE(t.cancelled());
        EXPECT_EQ(r.alive, 0u);
        EXPECT_EQ(r.cancellations, 10);
    };
    run(body());
}

struct node_of_tree {
    int depth;
    int leaves;
};

coro<> tree(void* self, std::size_t) {
    auto& parent = *static_cast<node_of_tree*>(self);
    if (parent.depth == 0) {
        ++parent.leaves;
        co_return;
    }
    node_of_tree own{parent.depth - 1, 0};
    job_batch batch(
        3, 3, &tree, [](void*, std::size_t, const std::exception_ptr&) {}, &own);
    co_await batch;
    parent.leaves += own.leaves;
}

TEST_P(job_batch_test, batches_nest) {
    node_of_tree root{6, 0};
    auto body = [&]() -> coro<> { co_await tree(&root, 0); };
    run(body());
    EXPECT_EQ(root.leaves, 729);
}

TEST_P(job_batch_test, a_loop_may_be_torn_down_with_a_batch_in_it) {
    record r;
    auto waits = [&]() -> coro<> {
        job_batch batch(100, 10, &sleeping, &record::note_end, &r);
        co_await batch;
    };
    {
        loop own(options());
        own.set_exception_handler([](loop&, const error_report&) {});
        static_cast<void>(own.create_task(waits()));
        for (int i = 0; i < 2; ++i) {
            own.stop();
            own.run_forever();
        }
        EXPECT_EQ(r.alive, 10u);
    }
    EXPECT_EQ(r.alive, 0u);
}

CROSSOVER_ON_EACH_BACK_END(job_batch_test);

}  // namespace
}  // namespace crossover::asyncio
