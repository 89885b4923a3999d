// The origin seen from outside: bodies, delays, many connections, counts, and requests that are none.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "workloads/servers/http/body_checksum.hpp"
#include "workloads/servers/origin/item_body.hpp"
#include "workloads/servers/origin/item_target.hpp"
#include "workloads/servers/origin/origin_process.hpp"
#include "workloads/servers/origin/page_graph.hpp"
#include "workloads/servers/origin/tests/test_client.hpp"

namespace crossover {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string target_of(const item_target& item) {
    std::array<char, longest_item_target> room;
    return std::string(format_item_target(room, item));
}

class origin : public testing::Test {
  protected:
    void expect_item(test_client& client, std::uint64_t n, std::uint64_t bytes) {
        EXPECT_EQ(client.reply().status(), 200U);
        EXPECT_EQ(client.reply().body_bytes(), bytes);
        EXPECT_EQ(client.reply().body_checksum(), item_checksum(n, bytes))
            << "item " << n << ", " << bytes << " bytes";
    }
    void expect_alive() {
        test_client client(server.address());
        ASSERT_TRUE(client.get("/item/1"));
        expect_item(client, 1, 64);
    }
    // Waits until the origin has seen what the clients did: they do not wait for it.
    bool comes_true(const std::function<bool(const origin_stats&)>& condition) {
        for (int i = 0; i < 500; ++i) {
            if (condition(*server.stats())) return true;
            std::this_thread::sleep_for(milliseconds(10));
        }
        return false;
    }

    origin_process server = origin_process::start();
};

TEST_F(origin, sends_the_body_that_number_and_size_determine) {
    test_client client(server.address());
    for (const std::uint64_t bytes : {0, 1, 7, 8, 9, 64, 1031, 1032, 1033, 4096, 100'000, 16'777'216})
        for (const std::uint64_t n : {0U, 1U, 123'456'789U}) {
            ASSERT_TRUE(client.get(target_of(item_target(n, 0, bytes))));
            expect_item(client, n, bytes);
            EXPECT_TRUE(client.reply().keep_alive());
        }
}

TEST_F(origin, a_client_that_reads_late_gets_the_whole_body) {
    test_client client(server.address());
    client.ask(target_of(item_target(5, 0, largest_body_bytes)));
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.requests == 1; }));
    expect_alive();
    ASSERT_TRUE(client.receive());
    expect_item(client, 5, largest_body_bytes);
}

TEST_F(origin, serves_pages_of_which_some_fail_stall_or_break_off) {
    test_client client(server.address());
    const auto page = [](std::uint64_t n) { return format_page_target({n, 20, 100}); };
    for (const std::uint64_t n : {0, 1, 4, 19}) {
        ASSERT_TRUE(client.get(page(n)));
        EXPECT_EQ(client.reply().status(), 200U);
        const std::vector<std::uint64_t> words = page_graph(20).body(n);
        EXPECT_EQ(words[1], page_graph(20).links(n).size());
        body_checksum sum;
        sum.add(std::as_bytes(std::span(words)));
        EXPECT_EQ(client.reply().body_bytes(), sum.size());
        EXPECT_EQ(client.reply().body_checksum(), sum.value());
    }
    ASSERT_TRUE(client.get(page(5)));
    EXPECT_EQ(client.reply().status(), 500U);
    EXPECT_TRUE(client.reply().keep_alive());
    for (const char* wrong : {"/page/20?of=20&delay_us=0", "/page/1", "/page/1?of=x&delay_us=0"}) {
        ASSERT_TRUE(client.get(wrong));
        EXPECT_EQ(client.reply().status(), 400U) << wrong;
    }
    test_client waiting(server.address());
    waiting.ask(page(11));
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.in_flight == 1; }));
    waiting.close();
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.in_flight == 0; }));
    EXPECT_THROW(client.get(page(14)), http_error);
    expect_alive();
}

TEST_F(origin, answers_no_sooner_than_the_delay) {
    test_client client(server.address());
    for (const std::uint64_t delay_us : {100, 1'000, 20'000}) {
        const auto start = steady_clock::now();
        ASSERT_TRUE(client.get(target_of(item_target(1, delay_us, 64))));
        EXPECT_GE(steady_clock::now() - start, std::chrono::microseconds(delay_us));
        EXPECT_LT(steady_clock::now() - start, std::chrono::seconds(5));
        expect_item(client, 1, 64);
    }
}

TEST_F(origin, delays_run_side_by_side) {
    std::deque<test_client> clients;
    for (int i = 0; i < 50; ++i) clients.emplace_back(server.address());
    const auto start = steady_clock::now();
    for (auto& client : clients) client.ask(target_of(item_target(1, 100'000, 64)));
    for (auto& client : clients) ASSERT_TRUE(client.receive());
    EXPECT_LT(steady_clock::now() - start, milliseconds(2'500)) << "one after the other takes 5 s";
}

TEST_F(origin, keeps_a_connection_for_thousands_of_requests_and_counts_them) {
    test_client client(server.address());
    for (std::uint64_t n = 0; n < 5'000; ++n) {
        ASSERT_TRUE(client.get(target_of(item_target(n, 0, n % 100))));
        expect_item(client, n, n % 100);
    }
    const origin_stats stats = *server.stats();
    EXPECT_EQ(stats.requests, 5'000U) << "/stats itself is not counted";
    EXPECT_EQ(stats.connections, 2U);
    EXPECT_EQ(stats.in_flight, 0U);
    EXPECT_EQ(stats.peak_in_flight, 1U);
    EXPECT_GT(stats.cpu_user_ns + stats.cpu_sys_ns, 0U);
}

TEST_F(origin, holds_two_thousand_connections_and_reports_the_peak) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 2'100) GTEST_SKIP() << "needs 2,100 open files, may have " << limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);

    std::deque<test_client> clients;
    for (int i = 0; i < 2'000; ++i) clients.emplace_back(server.address());
    for (std::uint64_t i = 0; i < clients.size(); ++i)
        clients[i].ask(target_of(item_target(i, 2'000'000, 64)));
    for (std::uint64_t i = 0; i < clients.size(); ++i) {
        ASSERT_TRUE(clients[i].receive());
        expect_item(clients[i], i, 64);
    }
    EXPECT_EQ(server.stats()->connections, 2'001U);
    EXPECT_EQ(server.reset_peak()->peak_in_flight, 2'000U) << "the answer tells the peak before the reset";
    EXPECT_EQ(server.stats()->peak_in_flight, 0U);
    clients.clear();
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.connections == 1; }))
        << "ended connections are forgotten";
}

TEST_F(origin, forgets_a_request_whose_client_has_given_up) {
    test_client client(server.address());
    client.ask(target_of(item_target(1, longest_delay_us, 64)));
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.in_flight == 1; }));
    client.close();
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.in_flight == 0 && s.connections == 1; }));
}

TEST_F(origin, reads_requests_in_pieces_and_several_at_once) {
    test_client client(server.address());
    const std::string first = "GET /item/1?delay_us=1000 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (const char c : first) client.send(std::string_view(&c, 1));
    ASSERT_TRUE(client.receive());
    expect_item(client, 1, 64);

    std::string many;
    for (int n = 0; n < 1'000; ++n)
        many += "GET /item/" + std::to_string(n) + "?delay_us=" + std::to_string(n % 2) +
                " HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(many);
    for (std::uint64_t n = 0; n < 1'000; ++n) {
        ASSERT_TRUE(client.receive());
        expect_item(client, n, 64);
    }
    EXPECT_EQ(server.stats()->peak_in_flight, 1U) << "one connection is answered in order";
}

TEST_F(origin, closes_after_the_reply_when_asked_to) {
    test_client polite(server.address());
    polite.ask("/item/1", true);
    ASSERT_TRUE(polite.receive());
    expect_item(polite, 1, 64);
    EXPECT_FALSE(polite.reply().keep_alive());
    EXPECT_TRUE(polite.at_end());

    test_client old(server.address());
    old.send("GET /item/1 HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(old.receive());
    expect_item(old, 1, 64);
    EXPECT_TRUE(old.at_end());

    test_client old_but_kept(server.address());
    for (int i = 0; i < 2; ++i) {
        old_but_kept.send("GET /item/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        ASSERT_TRUE(old_but_kept.receive());
        expect_item(old_but_kept, 1, 64);
    }
}

TEST_F(origin, answers_a_wrong_target_and_keeps_the_connection) {
    test_client client(server.address());
    for (const char* target :
         {"/item/x", "/item/1?bytes=16777217", "/item/1?delay_us=60000001", "/item/1?colour=red"}) {
        ASSERT_TRUE(client.get(target));
        EXPECT_EQ(client.reply().status(), 400U) << target;
    }
    for (const char* target : {"/", "/items/1", "/stats/x"}) {
        ASSERT_TRUE(client.get(target));
        EXPECT_EQ(client.reply().status(), 404U) << target;
    }
    ASSERT_TRUE(client.get("/item/1"));
    expect_item(client, 1, 64);
}

TEST_F(origin, refuses_what_is_no_request_and_lives_on) {
    const std::pair<std::string, unsigned> cases[] = {
        {"hello\r\n\r\n", 400},
        {"GET /item/1 HTTP/9.9\r\n\r\n", 400},
        {"GET /item/1 HTTP/1.1\r\nno colon\r\n\r\n", 400},
        {std::string(64, '\0'), 400},
        {"GET /item/1 HTTP/1.1\r\nField: " + std::string(10'000, 'x') + "\r\n\r\n", 431},
        {"GET /" + std::string(100'000, 'x'), 431},
        {"POST /item/1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405},
    };
    for (const auto& [bytes, status] : cases) {
        test_client client(server.address());
        client.send(bytes);
        ASSERT_TRUE(client.receive()) << bytes.substr(0, 40);
        EXPECT_EQ(client.reply().status(), status) << bytes.substr(0, 40);
        EXPECT_TRUE(client.at_end());
        expect_alive();
    }
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.connections == 1; }));
}

TEST_F(origin, clients_that_break_off_at_any_point_do_no_harm) {
    const std::string request = "GET /item/1?delay_us=500&bytes=100000 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t cut = 0; cut <= request.size(); ++cut)
        test_client(server.address()).send(request.substr(0, cut));
    for (int i = 0; i < 20; ++i) {
        test_client client(server.address());
        client.ask(target_of(item_target(1, 0, largest_body_bytes)));  // closes while the body is on its way
    }
    EXPECT_TRUE(comes_true([](const origin_stats& s) { return s.connections == 1 && s.in_flight == 0; }));
    expect_alive();
}

}  // namespace
}  // namespace crossover
