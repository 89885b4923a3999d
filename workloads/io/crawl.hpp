// crawl: what does it take to follow links when some pages fail, stall or break off, a few requests at a
// time?
#pragma once

#include <set>

#include "workloads/contract/workload.hpp"
#include "workloads/io/expected_crawl.hpp"
#include "workloads/io/page_visit.hpp"
#include "workloads/support/throw_timed_out.hpp"

namespace crossover {

// Breadth first over the origin's page graph: all pages of a level together, a semaphore around each request,
// a deadline for each page, errors as values (gather with return_exceptions).
struct crawl {
    static constexpr std::string_view name = "crawl";
    static constexpr std::string_view question =
        "what does it take to follow links when some pages fail, stall or break off, a few requests at a "
        "time?";
    static constexpr work_class kind = work_class::io;
    static constexpr std::string_view unit = "pages";
    static constexpr metric decides = metric::time;
    static constexpr std::string_view bound =
        "the longer of delay × pages / in flight and, per level with a stalled page, the deadline";
    static constexpr std::array needs{verb::connect, verb::fork, verb::limit};
    static constexpr bool needs_origin = true;

    struct params {
        std::uint64_t pages, in_flight, delay_us, deadline_us;
    };
    static constexpr std::array fields{field<params>{"pages", &params::pages, 1, page_graph::most_pages},
                                       field<params>{"in_flight", &params::in_flight, 1, most_open},
                                       field<params>{"delay_us", &params::delay_us, 0, longest_wait_us},
                                       field<params>{"deadline_us", &params::deadline_us, 1, 30'000'000}};
    static constexpr std::array sizes{size<params>{{20, 5, 1'000, 600'000}, exhaustive},
                                      size<params>{{20, 8, 2'000, 60'000}, full},
                                      size<params>{{200, 32, 2'000, 200'000}, exhaustive},
                                      size<params>{{5'000, 256, 5'000, 500'000}, exhaustive}};

    // A page that comes after its delay must be in time.
    static std::string wrong(const params& p) {
        if (p.deadline_us > p.delay_us) return {};
        return "deadline_us must be more than delay_us, " + std::to_string(p.delay_us);
    }

    // Pages by how their fetch ended; where the links led: the sum over i of (i + 1) × the i-th page visited;
    // and the sum of the pages that timed out.
    struct output {
        std::uint64_t fine, failed, timed_out, broken, order, late;
    };

    template <class C>
    struct shared {
        shared(const environment& around, const params& p)
            : rules(p),
              origin(around.origin.value()),
              visits(around.memory.make_array<page_visit>(p.pages)),
              limit(p.in_flight) {}

        params rules;
        endpoint origin;
        std::span<page_visit> visits;  // in the order in which the pages were found
        std::size_t first = 0;         // of the level under way
        typename C::semaphore limit;
    };

    static std::size_t items(const params&) { return 1; }
    static std::uint64_t at_server(const params& p) { return p.in_flight; }
    static std::uint64_t units(const params& p) { return expected_crawl(p.pages).pages(); }
    static std::uint64_t scheduled(const params& p) { return 1 + units(p); }

    static std::uint64_t least_ns(const params& p, std::size_t guaranteed_concurrency) {
        const std::uint64_t stalled = expected_crawl(p.pages).of(page_graph::manner::stalls);
        const std::uint64_t width = std::min<std::uint64_t>(p.in_flight, guaranteed_concurrency);
        return std::max({(units(p) - stalled) * p.delay_us / width, stalled * p.deadline_us / width,
                         stalled > 0 ? p.deadline_us : 0}) *
               1000;
    }

    template <class C>
    requires can_connect<C> && can_fork<C> && can_limit<C>
    static typename C::task item(C& ctx, const params&, shared<C>& with, std::size_t, output& out) {
        const policy rules;
        std::set<std::uint64_t> seen{0};
        std::size_t found = 1;
        with.visits[0].page = 0;
        for (std::size_t end_of_level = 1; with.first < found;
             with.first = end_of_level, end_of_level = found) {
            co_await ctx.run(end_of_level - with.first, &look<C>, &with, rules);
            for (const page_visit& v : with.visits.subspan(with.first, end_of_level - with.first))
                for (std::uint64_t link = 0; link < v.count; ++link)
                    if (seen.insert(v.links[link]).second) with.visits[found++].page = v.links[link];
        }
        out = {0, 0, 0, 0, 0, 0};
        std::array<std::uint64_t*, 4> counts{&out.fine, &out.failed, &out.timed_out, &out.broken};
        for (std::size_t i = 0; i < found; ++i) {
            ++*counts[static_cast<std::size_t>(with.visits[i].ended)];
            out.order += (i + 1) * with.visits[i].page;
            if (with.visits[i].ended == page_visit::end::timed_out) out.late += with.visits[i].page;
        }
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const output& seen = outputs[0];
        const expected_crawl owed(p.pages);
        using manner = page_graph::manner;
        if (others_were_late(seen, owed))
            throw_timed_out("pages that come after a delay", p.delay_us, p.deadline_us);
        if (seen.fine != owed.of(manner::fine) || seen.failed != owed.of(manner::fails) ||
            seen.timed_out != owed.of(manner::stalls) || seen.broken != owed.of(manner::closes_early))
            return std::to_string(seen.fine) + " pages were fine, " + std::to_string(seen.failed) +
                   " failed, " + std::to_string(seen.timed_out) + " timed out and " +
                   std::to_string(seen.broken) + " broke off, not " + std::to_string(owed.of(manner::fine)) +
                   ", " + std::to_string(owed.of(manner::fails)) + ", " +
                   std::to_string(owed.of(manner::stalls)) + " and " +
                   std::to_string(owed.of(manner::closes_early));
        if (seen.late != owed.stalled()) return "other pages timed out than those that stall";
        return seen.order == owed.order() ? "" : "the pages were not visited in breadth-first order";
    }

  private:
    // Pages that do not stall timed out, and beside those and what they link to nothing is missing or too
    // much.
    static bool others_were_late(const output& seen, const expected_crawl& owed) {
        using manner = page_graph::manner;
        const std::uint64_t fine = owed.of(manner::fine), failed = owed.of(manner::fails),
                            broken = owed.of(manner::closes_early);
        return seen.late != owed.stalled() && seen.fine <= fine && seen.failed <= failed &&
               seen.broken <= broken && seen.timed_out > 0 && seen.timed_out <= owed.pages() &&
               seen.fine + seen.failed + seen.broken < fine + failed + broken &&
               seen.fine + seen.failed + seen.broken + seen.timed_out <= owed.pages();
    }

    template <class C>
    static typename C::task look(C& ctx, const void* batch, std::size_t i) {
        auto& with = *static_cast<shared<C>*>(const_cast<void*>(batch));
        page_visit& mine = with.visits[with.first + i];
        const auto permit = co_await with.limit.acquire(ctx);
        const page_request page(with.origin, mine.page, with.rules.pages, with.rules.delay_us,
                                std::chrono::microseconds(with.rules.deadline_us));
        co_await look_at(ctx, page, mine);
    }
};

}  // namespace crossover
