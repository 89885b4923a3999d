// crawl: what does it take to follow links when some pages fail, stall or break off, a few requests at a
// time?
#pragma once

#include <set>
#include <system_error>

#include "bench/origin/page_graph.hpp"
#include "workloads/crawled.hpp"
#include "workloads/http_get.hpp"
#include "workloads/workload.hpp"

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
    static constexpr std::array fields{
        field<params>{"pages", &params::pages}, field<params>{"in_flight", &params::in_flight},
        field<params>{"delay_us", &params::delay_us}, field<params>{"deadline_us", &params::deadline_us}};
    static constexpr std::array sizes{size<params>{{20, 5, 1'000, 200'000}, exhaustive},
                                      size<params>{{200, 32, 2'000, 200'000}, full},
                                      size<params>{{5'000, 256, 5'000, 500'000}, exhaustive}};

    // Pages by how their fetch ended, and where the links led: the sum over i of (i + 1) × the i-th page
    // visited.
    struct output {
        std::uint64_t fine, failed, timed_out, broken, order;
    };

    enum class end : std::uint64_t { fine, failed, timed_out, broken };

    struct visit {
        std::uint64_t page, count, links[page_graph::most_links];
        end ended;
    };

    template <class C>
    struct shared {
        shared(const environment& around, const params& p)
            : rules(p),
              origin(around.origin.value()),
              visits(around.memory.make_array<visit>(p.pages)),
              limit(p.in_flight) {}

        params rules;
        endpoint origin;
        std::span<visit> visits;  // in the order in which the pages were found
        std::size_t first = 0;    // of the level under way
        typename C::semaphore limit;
    };

    static std::size_t items(const params&) { return 1; }
    static std::uint64_t at_server(const params& p) { return p.in_flight; }
    static std::uint64_t units(const params& p) { return crawled(p.pages).pages(); }
    static std::uint64_t scheduled(const params& p) { return 1 + units(p); }

    static std::uint64_t least_ns(const params& p, std::size_t at_once) {
        const std::uint64_t stalled = crawled(p.pages).of(page_graph::manner::stalls);
        const std::uint64_t width = std::min<std::uint64_t>(p.in_flight, at_once);
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
            for (const visit& v : with.visits.subspan(with.first, end_of_level - with.first))
                for (std::uint64_t link = 0; link < v.count; ++link)
                    if (seen.insert(v.links[link]).second) with.visits[found++].page = v.links[link];
        }
        out = {0, 0, 0, 0, 0};
        std::array<std::uint64_t*, 4> counts{&out.fine, &out.failed, &out.timed_out, &out.broken};
        for (std::size_t i = 0; i < found; ++i) {
            ++*counts[static_cast<std::size_t>(with.visits[i].ended)];
            out.order += (i + 1) * with.visits[i].page;
        }
    }

    static std::string verify(const params& p, std::span<const output> outputs) {
        const output& seen = outputs[0];
        const crawled owed(p.pages);
        using manner = page_graph::manner;
        if (seen.fine != owed.of(manner::fine) || seen.failed != owed.of(manner::fails) ||
            seen.timed_out != owed.of(manner::stalls) || seen.broken != owed.of(manner::closes_early))
            return std::to_string(seen.fine) + " pages were fine, " + std::to_string(seen.failed) +
                   " failed, " + std::to_string(seen.timed_out) + " timed out and " +
                   std::to_string(seen.broken) + " broke off, not " + std::to_string(owed.of(manner::fine)) +
                   ", " + std::to_string(owed.of(manner::fails)) + ", " +
                   std::to_string(owed.of(manner::stalls)) + " and " +
                   std::to_string(owed.of(manner::closes_early));
        return seen.order == owed.order() ? "" : "the pages were not visited in breadth-first order";
    }

  private:
    template <class C>
    static typename C::task look(C& ctx, const void* batch, std::size_t i) {
        auto& with = *static_cast<shared<C>*>(const_cast<void*>(batch));
        visit& mine = with.visits[with.first + i];
        const auto permit = co_await with.limit.acquire(ctx);
        mine.count = 0;
        try {
            co_await fetch_page(ctx, with, mine);
        } catch (const timed_out&) {
            mine.ended = end::timed_out;
        } catch (const http_error&) {
            mine.ended = end::broken;
        } catch (const std::system_error&) {
            mine.ended = end::broken;
        }
    }

    template <class C>
    static typename C::template async<void> fetch_page(C& ctx, shared<C>& with, visit& mine) {
        const params& p = with.rules;
        const time_point latest = std::chrono::steady_clock::now() + std::chrono::microseconds(p.deadline_us);
        const std::string target = format_page_target({mine.page, p.pages, p.delay_us});
        std::array<std::uint64_t, 2 + page_graph::most_links> words{};
        http_reply reply;
        reply.keep_body(std::as_writable_bytes(std::span(words)));
        typename C::stream connection = co_await ctx.connect(with.origin, latest);
        co_await get(ctx, connection, with.origin, target, reply, latest);
        connection.close();
        mine.ended = reply.status() == 200 ? end::fine : end::failed;
        if (mine.ended == end::failed) co_return;
        if (words[0] != mine.page || words[1] > page_graph::most_links ||
            reply.body_bytes() != 8 * (2 + words[1]))
            throw std::runtime_error("the server sent another page");
        mine.count = words[1];
        std::copy_n(words.begin() + 2, mine.count, mine.links);
        for (std::uint64_t link = 0; link < mine.count; ++link)
            if (mine.links[link] >= p.pages)
                throw std::runtime_error("the server links to a page that is none");
    }
};

}  // namespace crossover
