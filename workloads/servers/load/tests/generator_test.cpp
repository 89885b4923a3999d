// The load generator against servers that the test writes, among them one that stalls once.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "workloads/servers/load/load_session.hpp"
#include "workloads/servers/origin/origin_error.hpp"
#include "workloads/servers/server_process.hpp"

namespace crossover {
namespace {

using namespace std::chrono_literals;

class generated_load : public ::testing::Test {
  protected:
    static load_plan plan_of(std::uint64_t connections, std::uint64_t requests, std::uint64_t rate) {
        load_plan plan;
        plan.connections = connections;
        plan.requests = requests;
        plan.rate_per_s = rate;
        return plan;
    }

    int connect() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(process.address().port);
        address.sin_addr.s_addr = htonl(process.address().address);
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        return fd;
    }

    // A server of one thread for all connections. `before(k, text)` is called before the k-th reply. Returns
    // how many requests it has answered when the generator ends the round.
    using hook = std::function<void(std::uint64_t k, std::string& text)>;
    std::uint64_t serve(std::uint64_t session, const load_plan& plan, const hook& before = {}) const {
        std::vector<pollfd> all;
        std::vector<std::string> text(plan.connections);
        for (std::uint64_t i = 0; i < plan.connections; ++i) {
            all.push_back({connect(), POLLIN, 0});
            const std::string greeting = serve_line(session, i) + '\n';
            EXPECT_EQ(::send(all[i].fd, greeting.data(), greeting.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(greeting.size()));
        }
        std::uint64_t answered = 0, open = plan.connections;
        while (open > 0) {
            if (::poll(all.data(), all.size(), 20'000) <= 0) break;
            for (std::size_t i = 0; i < all.size(); ++i) {
                if (all[i].revents == 0) continue;
                std::array<char, 4096> room;
                const ssize_t got = ::recv(all[i].fd, room.data(), room.size(), 0);
                if (got > 0) text[i].append(room.data(), static_cast<std::size_t>(got));
                if (got > 0 && text[i].size() == plan.bytes) {
                    if (before) before(answered, text[i]);
                    ::send(all[i].fd, text[i].data(), text[i].size(), MSG_NOSIGNAL);
                    ++answered;
                    text[i].clear();
                } else if (got <= 0 || text[i] == "\n") {
                    ::close(all[i].fd);
                    all[i].fd = -1;
                    --open;
                }
            }
        }
        return answered;
    }

    server_process process{"load", server_process::beside("load", CROSSOVER_LOAD)};
};

TEST_F(generated_load, of_a_closed_loop_is_answered_request_by_request) {
    const load_plan plan = plan_of(4, 1'000, 0);
    load_session session(process.address(), plan);
    for (std::uint64_t round = 1; round <= 3; ++round) {
        EXPECT_EQ(serve(session.id(), plan), 1'000U);
        const load_report told = session.report();
        EXPECT_EQ(told.rounds, round);
        EXPECT_EQ(told.replies, 1'000 * round);
        EXPECT_EQ(told.fault, "");
        EXPECT_EQ(told.seen.intended.count(), 1'000 * round);
        EXPECT_EQ(told.seen.intended.filled(), told.seen.service.filled());
        EXPECT_GT(told.busy_ns, 0U);
    }
    session.forget();
    const load_report told = session.report();
    EXPECT_EQ(told.rounds, 0U);
    EXPECT_EQ(told.seen.service.count(), 0U);
}

TEST_F(generated_load, of_an_open_loop_takes_its_time) {
    const load_plan plan = plan_of(4, 200, 1'000);
    load_session session(process.address(), plan);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(serve(session.id(), plan), 200U);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 199ms);
    EXPECT_GE(session.report().busy_ns, 199'000'000U);
}

// 1,000 requests per second, and none is answered for 200 ms: those which were due meanwhile, about 200,
// waited between 200 and 0 ms. Of those that were sent one at a time over 4 connections, 4 only were under
// way.
TEST_F(generated_load, shows_a_stall_of_the_server_in_all_requests_that_it_delayed) {
    const load_plan plan = plan_of(4, 600, 1'000);
    load_session session(process.address(), plan);
    for (int attempt = 1;; ++attempt) {
        session.forget();
        EXPECT_EQ(serve(session.id(), plan,
                        [](std::uint64_t k, std::string&) {
                            if (k == 200) std::this_thread::sleep_for(200ms);
                        }),
                  600U);
        const load_report told = session.report();
        ASSERT_EQ(told.seen.intended.count(), 600U);
        EXPECT_GE(told.seen.intended.most(), 195'000'000U);
        const std::uint64_t half = told.seen.intended.beyond(100'000'000);
        const std::uint64_t most = told.seen.intended.beyond(20'000'000);
        const std::uint64_t service = told.seen.service.beyond(20'000'000);
        // Other programs may stall the server, too: that adds requests. Never fewer than the stall accounts
        // for.
        EXPECT_GE(half, 95U);
        EXPECT_GE(most, 170U);
        EXPECT_GE(service, 1U);
        if (half <= 115 && most <= 200 && service <= 8) break;
        ASSERT_LT(attempt, 15) << half << ", " << most << ", " << service;
    }
}

TEST_F(generated_load, notices_wrong_bytes_and_missing_replies) {
    const load_plan plan = plan_of(2, 100, 0);
    load_session session(process.address(), plan);
    serve(session.id(), plan,
          [](std::uint64_t k, std::string& text) { text[k == 50 ? 20 : 0] ^= k == 50 ? 1 : 0; });
    EXPECT_NE(session.report().fault.find("other bytes"), std::string::npos) << session.report().fault;
    serve(session.id(), plan, [](std::uint64_t k, std::string& text) {
        if (k == 50) text += "more";
    });
    EXPECT_NE(session.report().fault.find("more than"), std::string::npos) << session.report().fault;
    const int one = connect(), other = connect();
    for (const auto& [fd, i] : {std::pair(one, 0U), std::pair(other, 1U)}) {
        const std::string greeting = serve_line(session.id(), i) + '\n';
        ASSERT_GT(::send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL), 0);
    }
    char first;
    ASSERT_EQ(::recv(one, &first, 1, 0), 1);
    ::close(one);
    while (::recv(other, &first, 1, 0) > 0) {
    }
    ::close(other);
    EXPECT_NE(session.report().fault.find("closed connection"), std::string::npos) << session.report().fault;
    session.forget();
    EXPECT_EQ(serve(session.id(), plan), 100U) << "it is fit for the next round";
    EXPECT_EQ(session.report().fault, "");
}

TEST_F(generated_load, is_bounded_and_refuses_what_it_does_not_understand) {
    EXPECT_THROW(load_session(process.address(), plan_of(100'000, 100'000, 0)), origin_error);
    load_control control(process.address());
    EXPECT_TRUE(control.ask("hello").starts_with("refused"));
    EXPECT_TRUE(control.ask("report").starts_with("refused"));
    const std::uint64_t cpu = control.cpu_ns();
    EXPECT_GT(cpu, 0U);
    const std::optional<std::uint64_t> measured = process.cpu_ns();
    ASSERT_TRUE(measured);
    EXPECT_GE(*measured, cpu);
}

}  // namespace
}  // namespace crossover
