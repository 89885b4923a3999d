// Tests which exception gives which outcome.
#include "bench/serve/outcome.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <system_error>

#include "bench/cell/cell.hpp"
#include "workloads/servers/origin/origin_error.hpp"

namespace crossover::bench {
namespace {

template <class E>
failure of(const E& error) {
    return failure_of(std::make_exception_ptr(error));
}

TEST(outcome, tells_the_work_from_the_model_and_from_the_environment) {
    EXPECT_EQ(of(wrong_result("item 7 ran 2 times")).what, outcome::wrong);
    EXPECT_EQ(of(worker_died(7, SIGKILL)).what, outcome::crashed);
    EXPECT_EQ(of(item_error(7, "no")).what, outcome::failed);
    EXPECT_EQ(of(timed_out("the batch passed its deadline")).what, outcome::timed_out);
    EXPECT_EQ(of(refused("the limit is 7")).what, outcome::refused);
    EXPECT_EQ(of(item_refused(7, "the limit is 7")).what, outcome::refused);
    EXPECT_EQ(of(std::bad_alloc()).what, outcome::refused);
    EXPECT_EQ(of(origin_error("gone")).what, outcome::unreachable);
    EXPECT_EQ(of(std::system_error(std::make_error_code(std::errc::io_error))).what, outcome::failed);
    EXPECT_EQ(of(7).what, outcome::failed);
}

TEST(outcome, names_the_item_and_stays_on_one_line) {
    EXPECT_EQ(of(item_error(7, "one\ntwo")).reason, "item 7: one two");
    EXPECT_EQ(of(worker_died(7, SIGKILL)).reason, "worker died at item 7: signal 9 (Killed)");
}

TEST(outcome, a_system_call_that_is_not_given_is_refused_by_the_environment) {
    for (const std::errc withheld : {std::errc::function_not_supported, std::errc::operation_not_permitted})
        EXPECT_EQ(of(std::system_error(std::make_error_code(withheld))).what, outcome::refused);
}

TEST(outcome, is_unsupported_in_the_protocol_when_the_environment_refused) {
    EXPECT_EQ(name_of(outcome::refused), "unsupported");
    EXPECT_EQ(name_of(outcome::unreachable), "failed");
}

}  // namespace
}  // namespace crossover::bench
