// The schedule of a round, with a test clock.
#include "workloads/servers/load/load_round.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace crossover {
namespace {

load_plan plan_of(std::uint64_t connections, std::uint64_t requests, std::uint64_t rate) {
    load_plan plan;
    plan.connections = connections;
    plan.requests = requests;
    plan.rate_per_s = rate;
    return plan;
}

TEST(load_plan, survives_its_line_and_knows_its_bounds) {
    const load_plan plan = plan_of(3, 400, 5'000);
    const auto again = read_session_line(session_line(plan));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->connections, 3U);
    EXPECT_EQ(again->requests, 400U);
    EXPECT_EQ(again->bytes, 64U);
    EXPECT_EQ(again->rate_per_s, 5'000U);
    EXPECT_EQ(plan.fault(), nullptr);
    EXPECT_FALSE(read_session_line("session 1 2 3"));
    EXPECT_FALSE(read_session_line("session 1 2 3 4 5"));
    for (const load_plan& bad : {plan_of(0, 1, 0), plan_of(2, 1, 0), plan_of(30'000, 30'000, 0),
                                 plan_of(1, 20'000'000, 0), plan_of(1, 1'000, 1)})
        EXPECT_NE(bad.fault(), nullptr);
}

TEST(load_round, in_a_closed_loop_sends_the_next_request_when_the_reply_is_there) {
    latencies seen;
    load_round round(plan_of(2, 5, 0), 1'000, seen);
    std::vector<std::uint64_t> lanes;
    round.offer(1'000, [&](std::uint64_t lane) { lanes.push_back(lane), round.sent(lane, 1'000); });
    EXPECT_EQ(lanes, (std::vector<std::uint64_t>{0, 1}));
    EXPECT_EQ(round.next_due_ns(), load_round::never_due);
    EXPECT_TRUE(round.replied(0, 1'500));
    EXPECT_EQ(round.number(0), 2U);
    round.sent(0, 1'600);
    EXPECT_TRUE(round.replied(0, 1'700));
    round.sent(0, 1'700);
    EXPECT_FALSE(round.replied(0, 1'800)) << "0, 2 and 4 are done";
    EXPECT_TRUE(round.replied(1, 9'000));
    EXPECT_FALSE(round.done());
    round.sent(1, 9'000);
    EXPECT_FALSE(round.replied(1, 9'100));
    EXPECT_TRUE(round.done());
    EXPECT_EQ(seen.intended.filled(), seen.service.filled());
    EXPECT_EQ(seen.service.count(), 5U);
}

TEST(load_round, in_an_open_loop_sends_when_a_request_is_due_and_counts_from_there) {
    latencies seen;
    load_round round(plan_of(2, 6, 1'000), 0, seen);  // due at 0, 1, 2, ... ms
    std::vector<std::uint64_t> lanes;
    const auto offer = [&](std::uint64_t now) {
        lanes.clear();
        round.offer(now, [&](std::uint64_t lane) { lanes.push_back(lane), round.sent(lane, now); });
        return lanes;
    };
    using list = std::vector<std::uint64_t>;
    EXPECT_EQ(offer(0), list{0});
    EXPECT_EQ(round.next_due_ns(), 1'000'000U);
    EXPECT_EQ(offer(999'999), list{});
    EXPECT_EQ(offer(1'000'000), list{1});
    EXPECT_EQ(offer(4'500'000), list{}) << "2, 3 and 4 are due, and both connections wait for replies";
    EXPECT_TRUE(round.replied(0, 5'000'000)) << "the reply to 0; 2 is late";
    EXPECT_EQ(round.number(0), 2U);
    round.sent(0, 5'000'000);
    EXPECT_TRUE(round.replied(0, 5'100'000));
    EXPECT_EQ(round.number(0), 4U);
    round.sent(0, 5'100'000);
    EXPECT_FALSE(round.replied(0, 5'200'000));
    EXPECT_TRUE(round.replied(1, 5'200'000)) << "the reply to 1; 3 is late";
    round.sent(1, 5'200'000);
    EXPECT_FALSE(round.replied(1, 5'300'000)) << "5 has not been offered yet";
    EXPECT_EQ(offer(5'300'000), list{1});
    EXPECT_FALSE(round.replied(1, 5'350'000));
    EXPECT_TRUE(round.done());
    // From when they were due: 5, 3.1, 1.2; 4.2, 2.3, 0.35 ms. From when they were sent: two of 4 ms and
    // more.
    EXPECT_EQ(seen.intended.beyond(1'100'000), 5U);
    EXPECT_EQ(seen.service.beyond(1'100'000), 2U);
}

}  // namespace
}  // namespace crossover
