// The heap of timers against a map that sorts: set in order, out of it, taken out anywhere.
#include "runtimes/system/timer_heap.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace crossover::asyncio {
namespace {

time_point at(int when) { return time_point(std::chrono::nanoseconds(when)); }

// Does the same to both, and compares what they say.
class both {
  public:
    void set(int when) {
        node& n = nodes_.emplace_back();
        heap_.insert(n, at(when));
        sorted_.emplace(when, &n);
        compare();
    }

    void take_out(std::size_t position) {
        const auto found = std::next(sorted_.begin(), static_cast<std::ptrdiff_t>(position));
        EXPECT_TRUE(timer_heap::armed(*found->second));
        EXPECT_EQ(heap_.deadline(*found->second), at(found->first));
        heap_.remove(*found->second);
        EXPECT_FALSE(timer_heap::armed(*found->second));
        sorted_.erase(found);
        compare();
    }

    void expire(int now) {
        node_list due;
        heap_.expire(at(now), due);
        for (; !sorted_.empty() && sorted_.begin()->first <= now; sorted_.erase(sorted_.begin())) {
            ASSERT_FALSE(due.empty());
            EXPECT_EQ(&due.pop_front(), sorted_.begin()->second);
        }
        EXPECT_TRUE(due.empty());
        compare();
    }

    void clear() {
        heap_.clear();
        for (const auto& [when, n] : sorted_) EXPECT_FALSE(timer_heap::armed(*n));
        sorted_.clear();
        compare();
    }

    std::size_t size() const { return sorted_.size(); }

  private:
    void compare() {
        ASSERT_EQ(heap_.size(), sorted_.size());
        ASSERT_EQ(heap_.empty(), sorted_.empty());
        if (!sorted_.empty()) {
            ASSERT_EQ(heap_.earliest(), at(sorted_.begin()->first));
        }
    }

    timer_heap heap_;
    std::multimap<int, node*> sorted_;  // equal ones in the order in which they came
    std::deque<node> nodes_;
};

// Of a hundred timers so many are set out of order; as many are taken out before their time.
void keeps_in_step(unsigned out_of_order, unsigned taken_out, unsigned seed) {
    std::mt19937 random(seed);
    auto below = [&](std::size_t most) { return static_cast<std::size_t>(random()) % most; };
    both timers;
    int now = 0;
    for (int step = 0; step < 3'000 && !testing::Test::HasFatalFailure(); ++step) {
        const int usual = now + 100;
        timers.set(below(100) < out_of_order ? now + static_cast<int>(below(200)) : usual);
        if (below(100) < taken_out && timers.size() != 0) timers.take_out(below(timers.size()));
        now += static_cast<int>(below(3));
        if (below(10) == 0) timers.expire(now);
        if (below(500) == 0) timers.expire(now += 1'000);  // all of them: it may be a queue again
    }
    timers.clear();
    timers.set(2);
    timers.set(1);
    timers.expire(2);
}

TEST(timer_heap_test, gives_timers_that_were_set_in_order_back_in_it) {
    for (unsigned seed = 0; seed < 5; ++seed) keeps_in_step(0, 0, seed);
}

TEST(timer_heap_test, sorts_what_is_set_out_of_order) {
    for (unsigned seed = 0; seed < 5; ++seed) {
        keeps_in_step(1, 0, seed);
        keeps_in_step(50, 0, seed);
    }
}

TEST(timer_heap_test, keeps_the_order_of_those_that_stay_when_others_are_taken_out) {
    for (unsigned seed = 0; seed < 5; ++seed) {
        keeps_in_step(0, 1, seed);
        keeps_in_step(1, 30, seed);
        keeps_in_step(50, 90, seed);
    }
}

TEST(timer_heap_test, takes_the_first_and_the_last_of_a_queue_out) {
    both timers;
    for (int when = 0; when < 200; ++when) timers.set(when);
    for (int i = 0; i < 60; ++i) {
        timers.take_out(0);
        timers.take_out(timers.size() - 1);
    }
    timers.set(100);  // among those that are left
    timers.expire(1'000);
}

}  // namespace
}  // namespace crossover::asyncio
