// What the tutorials' pool does besides keeping the contract.
#include "runtimes/threads/thread_pool_queue.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace crossover {
namespace {

using context = thread_pool_queue::context;

struct log {
    std::mutex writing;
    std::vector<std::size_t> indices;
    void note(std::size_t index) {
        const std::lock_guard guard(writing);
        indices.push_back(index);
    }
};

log& on(const void* batch) { return *static_cast<log*>(const_cast<void*>(batch)); }

context::task notes_itself(context&, const void* batch, std::size_t i) {
    on(batch).note(i);
    return {};
}

context::task forks_and_notes_itself(context& ctx, const void* batch, std::size_t i) {
    co_await ctx.run(3, &notes_itself, batch, policy{});
    on(batch).note(100 + i);
}

class thread_pool_queue_test : public testing::Test {
  protected:
    arena memory;
    thread_pool_queue pool{options{1, &memory}};
    log all;
};

TEST_F(thread_pool_queue_test, items_begin_in_the_order_in_which_they_were_pushed) {
    pool.run(100, &notes_itself, &all, policy{});
    std::vector<std::size_t> in_order(100);
    std::iota(in_order.begin(), in_order.end(), 0U);
    EXPECT_EQ(all.indices, in_order);
}

TEST_F(thread_pool_queue_test, a_worker_alone_runs_its_nested_batch_before_what_was_pushed_earlier) {
    pool.run(2, &forks_and_notes_itself, &all, policy{});
    EXPECT_EQ(all.indices, (std::vector<std::size_t>{0, 1, 2, 100, 0, 1, 2, 101}));
}

}  // namespace
}  // namespace crossover
