// Streams: bytes come back as they were sent, ends and errors are distinguished, and every wait ends at a
// deadline or a stop.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "tests/contract/echo_server.hpp"
#include "tests/contract/fixture.hpp"

namespace crossover::contract_test {

struct line_board : board {
    endpoint server = echo_server::address();
    std::size_t rounds = 20;
    std::size_t bytes = 64;
    std::uint32_t others = 0;
    std::atomic<std::uint32_t> wrong{0};
    std::atomic<std::uint32_t> expired{0};
};

template <class C>
struct lines {
    using stream = typename C::stream;

    // Sends `out` and reads as many bytes; whether they came back equal.
    static typename C::template async<bool> round_trip(C& ctx, stream& peer, std::span<const std::byte> out,
                                                       time_point deadline) {
        co_await peer.write_all(ctx, out, deadline);
        std::vector<std::byte> in(out.size());
        std::span<std::byte> left(in);
        while (!left.empty()) {
            std::size_t n = co_await peer.read_some(ctx, left, deadline);
            if (n == 0) co_return false;
            left = left.subspan(n);
        }
        co_return std::equal(out.begin(), out.end(), in.begin());
    }
};

template <class C>
typename C::task echoes(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    auto first = co_await ctx.connect(b.server, never);
    typename C::stream peer(std::move(first));
    std::vector<std::byte> data(b.bytes);
    for (std::size_t round = 0; round < b.rounds; ++round) {
        std::fill(data.begin(), data.end(), static_cast<std::byte>('a' + (i + round) % 26));
        bool same = co_await lines<C>::round_trip(ctx, peer, data, never);
        if (!same) b.wrong.fetch_add(1);
    }
    peer.close();
    b.ended.fetch_add(1);
}

CONTRACT(bytes_come_back_on_many_connections, verb::connect) {
    for (policy rules : {policy{}, policy(16, until::first_error, after(far))}) {
        auto b = t.template make<line_board>();
        t.runtime.run(30, &echoes<C>, b.get(), rules);
        EXPECT_EQ(b->ended.load(), 30U);
        EXPECT_EQ(b->wrong.load(), 0U);
    }
}

CONTRACT(a_megabyte_comes_back, verb::connect) {
    auto b = t.template make<line_board>();
    b->bytes = 64 * 1024;
    b->rounds = 16;
    t.runtime.run(2, &echoes<C>, b.get(), policy{});
    EXPECT_EQ(b->ended.load(), 2U);
    EXPECT_EQ(b->wrong.load(), 0U);
}

CONTRACT(two_thousand_short_connections_exhaust_nothing, verb::connect) {
    auto b = t.template make<line_board>();
    b->rounds = 1;
    t.runtime.run(2'000, &echoes<C>, b.get(), policy(16));
    EXPECT_EQ(b->ended.load(), 2'000U);
}

template <class C>
typename C::task reads_to_the_end(C& ctx, const void* batch, std::size_t) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    auto peer = co_await ctx.connect(b.server, never);
    constexpr std::string_view text = "the last words!";
    bool same = co_await lines<C>::round_trip(ctx, peer, std::as_bytes(std::span(text)), never);
    if (!same) b.wrong.fetch_add(1);
    std::array<std::byte, 8> more;
    std::size_t n = co_await peer.read_some(ctx, std::span<std::byte>(more), never);
    if (n == 0) b.ended.fetch_add(1);
}

CONTRACT(a_read_gives_0_when_the_peer_has_closed, verb::connect) {
    auto b = t.template make<line_board>();
    t.runtime.run(10, &reads_to_the_end<C>, b.get(), policy{});
    EXPECT_EQ(b->ended.load(), 10U);
    EXPECT_EQ(b->wrong.load(), 0U);
}

template <class C>
typename C::task outlives_its_deadlines(C& ctx, const void* batch, std::size_t) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    auto peer = co_await ctx.connect(b.server, after(far));
    std::array<std::byte, 8> in;
    stopwatch clock;
    time_point deadline = after(20ms);
    try {
        co_await peer.read_some(ctx, std::span<std::byte>(in), deadline);
    } catch (const timed_out&) {
        if (clock.elapsed() >= 20ms) b.expired.fetch_add(1);
    }
    constexpr std::string_view text = "still there";
    deadline = after(far);
    bool same = co_await lines<C>::round_trip(ctx, peer, std::as_bytes(std::span(text)), deadline);
    if (!same) b.wrong.fetch_add(1);
    // Nobody reads the echo, so that sooner or later no more can be written.
    std::vector<std::byte> too_much(std::size_t{64} << 20);
    deadline = after(50ms);
    try {
        co_await peer.write_all(ctx, std::span<const std::byte>(too_much), deadline);
    } catch (const timed_out&) {
        b.expired.fetch_add(1);
    }
    b.ended.fetch_add(1);
}

CONTRACT(a_read_or_write_that_passes_its_deadline_is_timed_out_and_the_item_goes_on, verb::connect) {
    auto b = t.template make<line_board>();
    t.runtime.run(4, &outlives_its_deadlines<C>, b.get(), policy(2));
    EXPECT_EQ(b->ended.load(), 4U);
    EXPECT_EQ(b->expired.load(), 8U);
    EXPECT_EQ(b->wrong.load(), 0U);
}

template <class C>
typename C::task connects_with_20_ms(C& ctx, const void* batch, std::size_t) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    time_point deadline = after(20ms);
    try {
        co_await ctx.connect(b.server, deadline);
    } catch (const timed_out&) {
        b.expired.fetch_add(1);
    }
}

// A listener whose queue is full lets further connections wait.
class full_listener {
  public:
    full_listener() : listener_(listen_on_loopback(0, at_)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(at_.address);
        address.sin_port = htons(at_.port);
        for (int& fd : fillers_) {
            fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            [[maybe_unused]] int pending =
                ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
        }
        ::usleep(10'000);
    }
    ~full_listener() {
        for (int fd : fillers_) ::close(fd);
        ::close(listener_);
    }
    full_listener(const full_listener&) = delete;
    full_listener& operator=(const full_listener&) = delete;
    endpoint address() const { return at_; }

  private:
    endpoint at_;
    int listener_;
    std::array<int, 4> fillers_{};
};

CONTRACT(a_connect_that_passes_its_deadline_is_timed_out, verb::connect) {
    full_listener busy;
    auto b = t.template make<line_board>();
    b->server = busy.address();
    t.runtime.run(2, &connects_with_20_ms<C>, b.get(), policy{});
    EXPECT_EQ(b->expired.load(), 2U);
}

template <class C>
typename C::task is_refused(C& ctx, const void* batch, std::size_t) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    try {
        co_await ctx.connect(b.server, never);
    } catch (const std::system_error& e) {
        if (e.code().value() == ECONNREFUSED) b.ended.fetch_add(1);
    }
}

CONTRACT(a_refused_connection_is_a_system_error, verb::connect) {
    auto b = t.template make<line_board>();
    ::close(listen_on_loopback(1, b->server));
    t.runtime.run(4, &is_refused<C>, b.get(), policy{});
    EXPECT_EQ(b->ended.load(), 4U);
    auto stoppable = t.template make<line_board>();
    stoppable->server = b->server;
    t.runtime.run(4, &is_refused<C>, stoppable.get(), policy(unlimited, until::first_error));
    EXPECT_EQ(stoppable->ended.load(), 4U);
}

// Item 0 fails once the others wait for bytes that never come.
template <class C>
typename C::task is_cancelled_in_a_read(C& ctx, const void* batch, std::size_t i) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    if (i == 0) {
        while (b.started.load() < b.others) co_await ctx.sleep_for(1ms);
        co_await ctx.sleep_for(5ms);
        throw std::runtime_error("enough");
    }
    auto peer = co_await ctx.connect(b.server, never);
    b.started.fetch_add(1);
    std::array<std::byte, 8> in;
    time_point deadline = after(far);
    co_await peer.read_some(ctx, std::span<std::byte>(in), i % 2 == 0 ? never : deadline);
    b.ended.fetch_add(1);
}

CONTRACT(a_failure_cancels_siblings_that_wait_for_their_peer, verb::connect, verb::sleep) {
    std::size_t n = t.together(8);
    if (n < 2) GTEST_SKIP() << "one at a time";
    for (int round = 0; round < 3; ++round) {
        auto b = t.template make<line_board>();
        b->others = static_cast<std::uint32_t>(n - 1);
        stopwatch clock;
        EXPECT_EQ(t.error_of(n, &is_cancelled_in_a_read<C>, b.get(), policy(unlimited, until::first_error)),
                  "enough");
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

template <class C>
typename C::task waits_for_a_silent_peer(C& ctx, const void* batch, std::size_t) {
    auto& b = on<line_board>(batch);
    inside here(b.frames);
    auto peer = co_await ctx.connect(b.server, never);
    std::array<std::byte, 8> in;
    co_await peer.read_some(ctx, std::span<std::byte>(in), never);
    b.ended.fetch_add(1);
}

CONTRACT(the_deadline_of_a_batch_ends_connects_and_reads, verb::connect) {
    full_listener busy;
    for (endpoint to : {busy.address(), echo_server::address()}) {
        auto b = t.template make<line_board>();
        b->server = to;
        stopwatch clock;
        t.expect_timed_out(4, &waits_for_a_silent_peer<C>, b.get(),
                           policy(unlimited, until::all_done, after(50ms)));
        EXPECT_LT(clock.elapsed(), soon);
        EXPECT_EQ(b->ended.load(), 0U);
    }
    t.expect_usable();
}

// Uses up the descriptors of the process that runs the item.
class no_descriptors {
  public:
    no_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit low = before_;
        low.rlim_cur = 200;
        ::setrlimit(RLIMIT_NOFILE, &low);
        for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken_.push_back(fd);
    }
    ~no_descriptors() {
        for (int fd : taken_) ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;

  private:
    rlimit before_{};
    std::vector<int> taken_;
};

template <class C>
typename C::task has_no_descriptors(C& ctx, const void* batch, std::size_t) {
    auto& b = on<line_board>(batch);
    try {
        no_descriptors left;  // ends before the handler: UBSan needs a descriptor to look at the exception
        co_await ctx.connect(b.server, never);
    } catch (const refused& e) {
        if (std::string_view(e.what()).find("limit of open files (ulimit -n) is 200") !=
            std::string_view::npos)
            b.ended.fetch_add(1);
    }
}

CONTRACT(a_lack_of_descriptors_is_refused_with_the_limit, verb::connect) {
    auto b = t.template make<line_board>();
    t.runtime.run(1, &has_no_descriptors<C>, b.get(), policy{});
    EXPECT_EQ(b->ended.load(), 1U);
    t.expect_usable();
}

}  // namespace crossover::contract_test
