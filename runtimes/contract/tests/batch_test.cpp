// The rules of a running batch, without any model: what stops it and what it throws.
#include "runtimes/contract/batch.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

namespace crossover {
namespace {

using namespace std::chrono_literals;

time_point now() { return std::chrono::steady_clock::now(); }

TEST(stop_state, is_raised_by_itself_and_by_those_around_it_but_not_by_those_below) {
    stop_state outer;
    stop_state inner(&outer);
    inner.raise();
    EXPECT_TRUE(inner.raised());
    EXPECT_FALSE(outer.raised());
    stop_state other(&outer);
    EXPECT_FALSE(other.raised());
    outer.raise();
    EXPECT_TRUE(other.raised());
}

TEST(stop_state, is_over_at_the_earliest_deadline_around_it) {
    stop_state outer(nullptr, now() - 1s);
    stop_state inner(&outer, now() + 1h);
    EXPECT_TRUE(inner.over());
    EXPECT_FALSE(inner.raised());
    EXPECT_FALSE(inner.expired()) << "its own deadline has not passed";
    stop_state endless;
    EXPECT_EQ(endless.deadline(), never);
    EXPECT_FALSE(endless.over());
}

TEST(batch_state, lends_the_outer_state_to_batches_that_cannot_stop_by_themselves) {
    stop_state outer;
    batch_state plain(policy{}, &outer);
    EXPECT_EQ(plain.stop(), &outer);
    batch_state stopping(policy(unlimited, until::first_error), &outer);
    EXPECT_NE(stopping.stop(), &outer);
    batch_state top(policy{}, nullptr);
    EXPECT_EQ(top.stop(), nullptr);
}

TEST(batch_state, an_error_stops_only_first_error_batches) {
    batch_state all(policy{}, nullptr);
    EXPECT_FALSE(all.note(ended::badly, 3, "three"));
    EXPECT_FALSE(all.stopped());
    EXPECT_THROW(all.finish(), item_error);
    batch_state first(policy(unlimited, until::first_error), nullptr);
    EXPECT_TRUE(first.note(ended::badly, 3, "three"));
    EXPECT_TRUE(first.stopped());
}

TEST(batch_state, the_first_error_wins_and_keeps_its_index_and_text) {
    batch_state b(policy{}, nullptr);
    b.note(ended::badly, 7, "seven");
    b.note(ended::badly, 8, "eight");
    try {
        b.finish();
        FAIL() << "the error was lost";
    } catch (const item_error& e) {
        EXPECT_EQ(e.index(), 7U);
        EXPECT_STREQ(e.what(), "seven");
    }
}

TEST(batch_state, a_result_stops_first_result_batches_and_covers_earlier_errors) {
    batch_state b(policy(unlimited, until::first_result), nullptr);
    EXPECT_FALSE(b.note(ended::badly, 0, "zero"));
    EXPECT_TRUE(b.note(ended::well, 1));
    EXPECT_TRUE(b.stopped());
    EXPECT_NO_THROW(b.finish());
}

TEST(batch_state, a_passed_deadline_comes_out_as_timed_out_even_if_no_item_looked) {
    batch_state b(policy(unlimited, until::all_done, now() - 1s), nullptr);
    EXPECT_THROW(b.finish(), timed_out);
}

TEST(batch_state, an_outer_deadline_comes_out_as_cancelled) {
    stop_state outer(nullptr, now() - 1s);
    batch_state plain(policy{}, &outer);
    EXPECT_TRUE(plain.stopped());
    EXPECT_THROW(plain.finish(), cancelled);
    batch_state stopping(policy(unlimited, until::first_error), &outer);
    EXPECT_TRUE(stopping.stopped());
    EXPECT_THROW(stopping.finish(), cancelled);
}

void expect_death_of_item_5(const batch_state& b) {
    try {
        b.finish();
        FAIL() << "the death was lost";
    } catch (const worker_died& e) {
        EXPECT_EQ(e.index(), 5U);
        EXPECT_EQ(e.signal(), 9);
    }
}

TEST(batch_state, the_death_of_a_worker_comes_out_with_its_signal) {
    batch_state b(policy{}, nullptr);
    b.note(ended::badly, 5, "died", 9);
    expect_death_of_item_5(b);
}

TEST(batch_state, the_first_death_comes_out_also_if_an_item_failed_of_it_before) {
    batch_state b(policy{}, nullptr);
    b.note(ended::badly, 4, "another worker died");
    b.note(ended::badly, 5, "died", 9);
    b.note(ended::badly, 6, "another worker died");
    b.note(ended::badly, 7, "died too", 15);
    expect_death_of_item_5(b);
}

TEST(run_noted, turns_whatever_is_thrown_into_the_end_of_the_item) {
    batch_state b(policy{}, nullptr);
    run_noted(b, 0, [] {});
    run_noted(b, 1, [] { throw cancelled(); });
    EXPECT_NO_THROW(b.finish()) << "an item that lets `cancelled` pass has no error";
    run_noted(b, 2, [] { throw 2; });
    EXPECT_THROW(b.finish(), item_error);
}

}  // namespace
}  // namespace crossover
