// Workers of a pool that are killed from outside, idle or at work: they are replaced, and every loss is
// reported.
#include "runtimes/processes/tests/kills.hpp"

#include <unistd.h>

#include <csignal>

#include "runtimes/processes/process_pool.hpp"
#include "runtimes/processes/process_pool_wide.hpp"
#include "runtimes/processes/tests/deaths.hpp"

namespace crossover::deaths_test {
namespace {

template <class R>
class pool_deaths : public deaths<R> {
  protected:
    // One after the other. A successor that has not told of itself yet is not listed: at times that is all.
    int worker_in_turn(std::size_t number) {
        while (this->runtime.worker_ids().empty()) this->expect_usable();
        const auto ids = this->runtime.worker_ids();
        return ids[number % ids.size()];
    }
};
using pools = ::testing::Types<process_pool, process_pool_wide>;
TYPED_TEST_SUITE(pool_deaths, pools, name_of);

TYPED_TEST(pool_deaths, of_idle_workers_are_mended_without_an_error) {
    for (int i = 0; i < rounds; ++i) {
        kill_idle(this->worker_in_turn(static_cast<std::size_t>(i)));
        if (i % 2 == 0) ::usleep(2'000);
        this->expect_usable();
    }
}

TYPED_TEST(pool_deaths, of_all_idle_workers_at_once_are_mended) {
    for (int i = 0; i < 5; ++i) {
        for (int id : this->runtime.worker_ids()) kill_idle(id);
        this->expect_usable();
        for (int id : this->runtime.worker_ids()) EXPECT_GT(id, 0);
    }
}

// Item 0 kills a worker, while the others have much to do.
template <class C>
typename C::task kills_a_sibling(C& ctx, const void* batch, std::size_t i) {
    auto& s = on<C>(batch);
    if (i == 0) {
        co_await ctx.sleep_for(200us);
        kill_process(s.victim.load());
    }
    s.waiting.fetch_add(1);
}
TYPED_TEST(pool_deaths, at_any_moment_of_a_batch_of_tiny_items) {
    using context = typename TypeParam::context;
    int failed = 0;
    for (int i = 0; i < 5 * rounds; ++i) {
        arena::scope scope(this->memory);
        auto* s = this->memory.template make<scene<context>>(this->memory);
        s->victim.store(this->worker_in_turn(static_cast<std::size_t>(i)));
        try {
            this->runtime.run(static_cast<std::size_t>(i) * 200 + 1, &kills_a_sibling<context>, s, policy{});
            EXPECT_EQ(s->waiting.load(), i * 200 + 1) << "no error means that every item has run once";
        } catch (const worker_died& e) {
            EXPECT_EQ(e.signal(), SIGKILL);
            ++failed;
        }
    }
    EXPECT_GT(failed, 0);
    this->expect_usable();
}

}  // namespace
}  // namespace crossover::deaths_test
