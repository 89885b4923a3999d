// The pages that the origin serves for crawlers: who links to whom, which ones misbehave, and how a page is
// asked for.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/servers/origin/item_body.hpp"

namespace crossover {

// Pages 0 to pages - 1. Each links to its four children in a tree with the root 0, as far as they exist, and
// to one page anywhere, so that many links lead where the crawler has been.
class page_graph {
  public:
    enum class manner { fine, fails, stalls, closes_early };

    static constexpr std::uint64_t most_pages = 1'000'000;
    static constexpr std::size_t most_links = 5;

    explicit page_graph(std::uint64_t pages) : pages_(pages) {}

    std::vector<std::uint64_t> links(std::uint64_t page) const {
        std::vector<std::uint64_t> to;
        for (std::uint64_t child = 4 * page + 1; child <= 4 * page + 4 && child < pages_; ++child)
            to.push_back(child);
        to.push_back(first_word(page) % pages_);
        return to;
    }

    // Fails: status 500. Stalls: no answer while the client waits. Closes early: half of the body.
    static manner of(std::uint64_t page) {
        switch (page % 16) {
            case 5:
                return manner::fails;
            case 11:
                return manner::stalls;
            case 14:
                return manner::closes_early;
            default:
                return manner::fine;
        }
    }

    // The body of a page: its number, how many links it has, and these; little-endian 64-bit words.
    std::vector<std::uint64_t> body(std::uint64_t page) const {
        std::vector<std::uint64_t> words{page, 0};
        for (std::uint64_t to : links(page)) words.push_back(to);
        words[1] = words.size() - 2;
        return words;
    }

  private:
    std::uint64_t pages_;
};

// "/page/<n>?of=<pages>&delay_us=<us>"
struct page_target {
    std::uint64_t n = 0, pages = 1, delay_us = 0;
};

inline std::string format_page_target(const page_target& page) {
    return "/page/" + std::to_string(page.n) + "?of=" + std::to_string(page.pages) +
           "&delay_us=" + std::to_string(page.delay_us);
}

// Nothing if the text is no such target, or its numbers are out of bounds.
inline std::optional<page_target> parse_page_target(std::string_view text) {
    page_target page;
    const auto take = [&text](std::string_view name, std::uint64_t& number) {
        if (!text.starts_with(name)) return false;
        const char* end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data() + name.size(), end, number);
        text.remove_prefix(static_cast<std::size_t>(at - text.data()));
        return error == std::errc{};
    };
    if (!take("/page/", page.n) || !take("?of=", page.pages) || !take("&delay_us=", page.delay_us) ||
        !text.empty())
        return std::nullopt;
    if (page.pages > page_graph::most_pages || page.n >= page.pages || page.delay_us > 60'000'000)
        return std::nullopt;
    return page;
}

}  // namespace crossover
