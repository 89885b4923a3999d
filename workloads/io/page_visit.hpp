// One page of a crawl: how its fetch ended, by its deadline at the latest, and where its links lead.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>

#include "workloads/servers/http/http_get.hpp"
#include "workloads/servers/origin/page_graph.hpp"

namespace crossover {

// Lies where all workers see it.
struct page_visit {
    enum class end : std::uint64_t { fine, failed, timed_out, broken };

    std::uint64_t page, count, links[page_graph::most_links];
    end ended;
};

// What is asked for; its time begins when it is made.
struct page_request {
    page_request(endpoint from, std::uint64_t n, std::uint64_t of, std::uint64_t delay_us,
                 std::chrono::microseconds allowed)
        : server(from), target{n, of, delay_us}, latest(std::chrono::steady_clock::now() + allowed) {}

    endpoint server;
    page_target target;
    time_point latest;
};

// Asks for the page and reads its links.
template <can_connect C>
typename C::template async<void> fetch_page(C& ctx, const page_request& asked, page_visit& mine) {
    const std::string target = format_page_target(asked.target);
    std::array<std::uint64_t, 2 + page_graph::most_links> words{};
    http_reply reply;
    http_buffer buffer;
    reply.keep_body(std::as_writable_bytes(std::span(words)));
    typename C::stream connection = co_await ctx.connect(asked.server, asked.latest);
    co_await get(ctx, connection, asked.server, target, reply, buffer, asked.latest);
    connection.close();
    refuse_if_overloaded(reply);
    mine.ended = reply.status() == 200 ? page_visit::end::fine : page_visit::end::failed;
    if (mine.ended == page_visit::end::failed) co_return;
    if (words[0] != mine.page || words[1] > page_graph::most_links ||
        reply.body_bytes() != 8 * (2 + words[1]))
        throw std::runtime_error("the server sent another page");
    mine.count = words[1];
    std::copy_n(words.begin() + 2, mine.count, mine.links);
    for (std::uint64_t link = 0; link < mine.count; ++link)
        if (mine.links[link] >= asked.target.pages)
            throw std::runtime_error("the server links to a page that is none");
}

// The same, with the errors that a crawler lives with as values: gather with return_exceptions.
template <can_connect C>
typename C::template async<void> look_at(C& ctx, const page_request& asked, page_visit& mine) {
    mine.count = 0;
    try {
        co_await fetch_page(ctx, asked, mine);
    } catch (const timed_out&) {
        if (std::chrono::steady_clock::now() < asked.latest)
            throw std::runtime_error("a page was given up before its deadline");
        mine.ended = page_visit::end::timed_out;
    } catch (const http_error&) {
        mine.ended = page_visit::end::broken;
    } catch (const std::system_error&) {
        mine.ended = page_visit::end::broken;
    }
}

}  // namespace crossover
