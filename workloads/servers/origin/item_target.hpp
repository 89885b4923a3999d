// The address of an item, /item/<n>?delay_us=D&bytes=B: written by the fetch clients, read by the origin.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>

#include "workloads/servers/origin/item_body.hpp"

namespace crossover {

inline constexpr std::uint64_t longest_delay_us = 60'000'000;

class item_target {
  public:
    constexpr item_target() = default;
    constexpr item_target(std::uint64_t number, std::uint64_t delay, std::uint64_t size)
        : n(number), delay_us(delay), bytes(size) {}

    std::uint64_t n = 0;
    std::uint64_t delay_us = 0;  // the origin waits so long before it answers; at most longest_delay_us
    std::uint64_t bytes = 64;    // of the body; at most largest_body_bytes
};

// Enough for the text of any item_target.
inline constexpr std::size_t longest_item_target = 96;

// Writes the text and returns the part of `out` that it takes.
inline std::string_view format_item_target(std::span<char, longest_item_target> out,
                                           const item_target& item) {
    char* at = out.data();
    const auto put = [&at, end = out.data() + out.size()](std::string_view name, std::uint64_t number) {
        at += name.copy(at, name.size());
        at = std::to_chars(at, end, number).ptr;
    };
    put("/item/", item.n);
    put("?delay_us=", item.delay_us);
    put("&bytes=", item.bytes);
    return {out.data(), static_cast<std::size_t>(at - out.data())};
}

// Reads the text; the two parameters may be missing and come in any order. Returns null, or one line that
// says what is wrong.
inline const char* parse_item_target(std::string_view text, item_target& item) {
    const auto take_number = [&text](std::uint64_t& number) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{}) return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        return true;
    };
    const auto take = [&text](std::string_view prefix) {
        const bool there = text.starts_with(prefix);
        if (there) text.remove_prefix(prefix.size());
        return there;
    };
    item = item_target();
    if (!take("/item/") || !take_number(item.n)) return "an item is /item/<n>?delay_us=<us>&bytes=<bytes>";
    for (bool first = true; !text.empty(); first = false) {
        if (!take(first ? "?" : "&")) return "parameters are written ?delay_us=<us>&bytes=<bytes>";
        if (take("delay_us=")) {
            if (!take_number(item.delay_us) || item.delay_us > longest_delay_us)
                return "delay_us is a number from 0 to 60000000";
        } else if (take("bytes=")) {
            if (!take_number(item.bytes) || item.bytes > largest_body_bytes)
                return "bytes is a number from 0 to 16777216";
        } else {
            return "an item has the parameters delay_us and bytes only";
        }
    }
    return nullptr;
}

}  // namespace crossover
