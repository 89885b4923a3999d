// The account reports every kind of mistake in words, whichever process or thread makes it.
#include "bench/cell/account.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace crossover::bench {
namespace {

class account_test : public testing::Test {
  protected:
    arena memory{std::size_t{1} << 24};
    ledger& book = *memory.make<ledger>(memory, 4);

    void run(std::size_t index) {
        book.begin(index);
        book.end();
    }
};

TEST_F(account_test, every_index_once_is_no_mistake) {
    for (std::size_t i : {2, 0, 3, 1}) run(i);
    EXPECT_EQ(book.mistake(), "");
    EXPECT_EQ(book.total().executions, 4U);
    EXPECT_EQ(book.total().peak_alive, 1U);
}

TEST_F(account_test, an_item_that_never_ran_is_named) {
    for (std::size_t i : {0, 1, 3}) run(i);
    EXPECT_EQ(book.mistake(), "item 2 never ran");
}

TEST_F(account_test, an_item_that_ran_twice_is_named) {
    for (std::size_t i : {0, 1, 2, 3, 1}) run(i);
    EXPECT_EQ(book.mistake(), "item 1 ran 2 times");
}

TEST_F(account_test, an_item_that_has_not_ended_is_told) {
    for (std::size_t i : {0, 1, 2}) run(i);
    book.begin(3);
    EXPECT_EQ(book.mistake(), "1 items had not ended when the run returned");
}

TEST_F(account_test, items_beyond_the_batch_count_as_executions) {
    for (std::size_t i : {0, 1, 2, 3, 4}) run(i);
    EXPECT_EQ(book.total().executions, 5U);
}

TEST_F(account_test, the_peak_is_of_items_that_live_together) {
    for (std::size_t i : {0, 1, 2}) book.begin(i);
    for (int i = 0; i < 3; ++i) book.end();
    run(3);
    EXPECT_EQ(book.total().peak_alive, 3U);
}

TEST_F(account_test, threads_and_processes_are_told_apart) {
    run(0);
    std::thread([&] { run(1); }).join();
    int child = ::fork();
    if (child == 0) {
        run(2);
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    run(3);
    EXPECT_EQ(book.mistake(), "");
    EXPECT_EQ(book.total().threads, 3U);
    EXPECT_EQ(book.total().processes, 2U);
}

TEST_F(account_test, a_back_end_is_seen_from_inside_the_worker_that_opens_it) {
    open_objects before = open_kernel_objects({});
    int child = ::fork();
    if (child == 0) {
        ::epoll_create1(0);
        run(0);
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(newly_open(book.total().open, before), std::vector<std::string>{"eventpoll"});
    EXPECT_TRUE(newly_open(open_kernel_objects({}), before).empty());
}

TEST(kernel_objects, what_was_open_before_is_not_new) {
    int inherited = ::epoll_create1(EPOLL_CLOEXEC);
    open_objects before = open_kernel_objects({});
    EXPECT_GE(before.eventpolls, 1U);
    EXPECT_TRUE(newly_open(open_kernel_objects({}), before).empty());
    int second = ::epoll_create1(EPOLL_CLOEXEC);
    EXPECT_EQ(newly_open(open_kernel_objects({}), before), std::vector<std::string>{"eventpoll"});
    ::close(second);
    ::close(inherited);
}

TEST(kernel_objects, are_seen_in_worker_processes) {
    int ready[2];
    int hold[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(hold), 0);
    open_objects before = open_kernel_objects({});
    int child = ::fork();
    if (child == 0) {
        ::close(hold[1]);
        ::epoll_create1(0);
        char byte = 0;
        [[maybe_unused]] auto told = ::write(ready[1], &byte, 1);
        [[maybe_unused]] auto ended = ::read(hold[0], &byte, 1);
        ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(newly_open(open_kernel_objects(std::array{child}), before),
              std::vector<std::string>{"eventpoll"});
    for (int fd : {ready[0], ready[1], hold[0], hold[1]}) ::close(fd);
    ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace crossover::bench
