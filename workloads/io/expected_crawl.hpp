// What a crawl must find, computed from the page graph, not from what a server sent: for the verifier.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "workloads/servers/origin/page_graph.hpp"

namespace crossover {

// The pages that breadth first leads to, in that order, when links can be read off fine pages only.
class expected_crawl {
  public:
    explicit expected_crawl(std::uint64_t pages) : found_{0} {
        const page_graph graph(pages);
        std::vector<bool> known(pages);
        known[0] = true;
        for (std::size_t at = 0; at < found_.size(); ++at) {
            const auto manner = page_graph::of(found_[at]);
            ++manners_[static_cast<std::size_t>(manner)];
            order_ += (at + 1) * found_[at];
            if (manner == page_graph::manner::stalls) stalled_ += found_[at];
            if (manner != page_graph::manner::fine) continue;
            for (std::uint64_t to : graph.links(found_[at])) {
                if (!known[to]) found_.push_back(to);
                known[to] = true;
            }
        }
    }

    std::uint64_t pages() const { return found_.size(); }
    std::uint64_t of(page_graph::manner m) const { return manners_[static_cast<std::size_t>(m)]; }
    // The sum over i of (i + 1) × the i-th page.
    std::uint64_t order() const { return order_; }
    // The sum of the pages that stall.
    std::uint64_t stalled() const { return stalled_; }

  private:
    std::vector<std::uint64_t> found_;
    std::array<std::uint64_t, 4> manners_{};
    std::uint64_t order_ = 0;
    std::uint64_t stalled_ = 0;
};

}  // namespace crossover
