// item_target: what the client writes is what the origin reads; anything else is refused.
#include "workloads/servers/origin/item_target.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>

namespace crossover {
namespace {

TEST(item_target, is_read_as_it_was_written) {
    for (const item_target& item :
         {item_target(0, 0, 0), item_target(7, 5000, 64),
          item_target(std::numeric_limits<std::uint64_t>::max(), longest_delay_us, largest_body_bytes)}) {
        std::array<char, longest_item_target> room;
        const std::string text(format_item_target(room, item));
        item_target read;
        ASSERT_EQ(parse_item_target(text, read), nullptr) << text;
        EXPECT_EQ(read.n, item.n);
        EXPECT_EQ(read.delay_us, item.delay_us);
        EXPECT_EQ(read.bytes, item.bytes);
    }
}

TEST(item_target, parameters_may_be_missing_and_come_in_any_order) {
    item_target item;
    ASSERT_EQ(parse_item_target("/item/3", item), nullptr);
    EXPECT_EQ(item.delay_us, 0U);
    EXPECT_EQ(item.bytes, 64U);
    ASSERT_EQ(parse_item_target("/item/3?bytes=9&delay_us=8", item), nullptr);
    EXPECT_EQ(item.delay_us, 8U);
    EXPECT_EQ(item.bytes, 9U);
    ASSERT_EQ(parse_item_target("/item/4", item), nullptr);
    EXPECT_EQ(item.bytes, 64U) << "nothing stays of the text before";
}

TEST(item_target, refuses_everything_else) {
    for (const char* text :
         {"", "/", "/item/", "/item/x", "/item/-1", "/item/1x", "/item/1/", "/item/1?", "/item/1&bytes=1",
          "/item/1?bytes", "/item/1?bytes=", "/item/1?bytes=-1", "/item/1?bytes=1k", "/item/1?bytes=16777217",
          "/item/1?delay_us=60000001", "/item/1?delay=5", "/item/1?bytes=1&", "/item/1?bytes=1?delay_us=1",
          "/item/18446744073709551616"}) {
        item_target item;
        EXPECT_NE(parse_item_target(text, item), nullptr) << text;
    }
}

}  // namespace
}  // namespace crossover
