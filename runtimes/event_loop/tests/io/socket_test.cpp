// Sockets: trying at once, waiting, deadlines and cancellation.
#include "runtimes/event_loop/io/socket.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "runtimes/event_loop/combinators/gather.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class socket_test : public on_each_back_end {
  protected:
    std::pair<socket, socket> connected() { return asyncio::connected(transport::unix_socket); }
};

TEST_P(socket_test, conformance_142_an_operation_that_can_go_on_does_so_without_yielding) {
    auto [a, b] = connected();
    auto body = [&]() -> coro<> {
        bool between = false;
        get_running_loop().call_soon([&] { between = true; });
        co_await sock_sendall(a, bytes_of("hello"));
        const std::string text = co_await reads(b);
        EXPECT_EQ(text, "hello");
        EXPECT_FALSE(between);
        EXPECT_EQ(get_running_loop().io().attached(), 0u) << "nothing had to be watched";
    };
    run(body());
}

TEST_P(socket_test, conformance_142_connect_accept_send_and_receive) {
    auto body = [&]() -> coro<> {
        listener l;
        auto serves = [&]() -> coro<> {
            socket s = co_await sock_accept(l.own);
            for (;;) {
                const std::string text = co_await reads(s);
                if (text.empty()) break;
                co_await sock_sendall(s, bytes_of(text));
            }
        };
        task<> server = create_task(serves());
        {
            socket client = socket::create(AF_INET);
            co_await sock_connect(client, l.generic(), sizeof l.address);
            for (const char* text : {"one", "two"}) {
                co_await sock_sendall(client, bytes_of(text));
                const std::string echo = co_await reads(client);
                EXPECT_EQ(echo, text);
            }
        }
        co_await server;
    };
    run(body());
}

TEST_P(socket_test, a_refused_connection_is_an_error_of_the_system) {
    auto body = [&]() -> coro<> {
        sockaddr_in address{};
        {
            listener gone;
            address = gone.address;
        }
        socket client = socket::create(AF_INET);
        int error = 0;
        try {
            co_await sock_connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address);
        } catch (const std::system_error& e) {
            error = e.code().value();
        }
        EXPECT_EQ(error, ECONNREFUSED);
    };
    run(body());
}

TEST_P(socket_test, more_than_the_kernel_holds_is_sent_as_the_peer_reads) {
    auto [a, b] = connected();
    const std::size_t total = 4 << 20;
    auto sends = [&]() -> coro<> {
        const std::vector<std::byte> much(total, std::byte{7});
        co_await sock_sendall(a, much);
    };
    auto body = [&]() -> coro<> {
        task<> sender = create_task(sends());
        std::vector<std::byte> buffer(64 << 10);
        std::size_t got = 0;
        while (got < total) got += co_await sock_recv(b, buffer);
        co_await sender;
        EXPECT_EQ(got, total);
    };
    run(body());
}

TEST_P(socket_test, conformance_142_a_cancelled_operation_leaves_the_socket_free_for_the_next) {
    auto [a, b] = connected();
    auto body = [&]() -> coro<> {
        task<std::string> first = create_task(reads(b));
        co_await sleep(0ns);
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        task<std::string> second = create_task(reads(b));
        co_await sleep(0ns);
        co_await sock_sendall(a, bytes_of("x"));
        const std::string text = co_await second;
        EXPECT_EQ(text, "x");
    };
    run(body());
}

TEST_P(socket_test, conformance_142_a_cancelled_accept_leaves_the_listener_free) {
    auto body = [&]() -> coro<> {
        listener l;
        auto accepts = [&]() -> coro<> { const socket s = co_await sock_accept(l.own); };
        task<> first = create_task(accepts());
        co_await sleep(0ns);
        first.cancel();
        co_await until_done(first);
        EXPECT_TRUE(first.cancelled());
        task<> second = create_task(accepts());
        socket client = socket::create(AF_INET);
        co_await sock_connect(client, l.generic(), sizeof l.address);
        co_await second;
    };
    run(body());
}

TEST_P(socket_test, a_passed_deadline_throws_and_the_socket_stays_usable) {
    auto [a, b] = connected();
    auto body = [&]() -> coro<> {
        for (auto time : {2ms, 0ms}) {
            bool late = false;
            try {
                static_cast<void>(co_await reads(b, loop::time() + time));
            } catch (const timeout_error&) {
                late = true;
            }
            EXPECT_TRUE(late);
            EXPECT_EQ(get_running_loop().timers().size(), 0u);
        }
        task<std::string> reader = create_task(reads(b, loop::time() + 1h));
        co_await sleep(0ns);
        co_await sock_sendall(a, bytes_of("y"));
        const std::string text = co_await reader;
        EXPECT_EQ(text, "y");
        EXPECT_EQ(get_running_loop().timers().size(), 0u);
    };
    run(body());
}

// Readiness, the deadline and a cancellation in one iteration, in all orders: nothing may be resumed twice or
// left behind.
TEST_P(socket_test, readiness_deadline_and_cancel_at_once_resume_exactly_once) {
    for (int mix = 0; mix < 8; ++mix) {
        auto [a, b] = connected();
        int ends = 0;
        auto waits = [&](time_point deadline) -> coro<> {
            try {
                static_cast<void>(co_await reads(b, deadline));
            } catch (const timeout_error&) {
            }
            ++ends;
        };
        auto body = [&]() -> coro<> {
            const auto deadline = loop::time() + 1ms;
            task<> t = create_task(waits(mix & 1 ? deadline : no_deadline));
            co_await sleep(0ns);
            while (loop::time() < deadline + 1ms) continue;  // all at once: the loop stands still
            if (mix & 2) static_cast<void>(::write(a.fd(), "z", 1));
            if (mix & 4) get_running_loop().call_soon([&t] { t.cancel(); });
            if (mix == 0) t.cancel();
            co_await until_done(t);
            EXPECT_EQ(ends, t.cancelled() ? 0 : 1);
        };
        run(body());
    }
}

TEST_P(socket_test, a_stream_that_never_blocks_does_not_keep_the_loop_for_itself) {
    auto [a, b] = connected();
    auto body = [&]() -> coro<> {
        bool others_ran = false;
        get_running_loop().call_soon([&] { others_ran = true; });
        int rounds = 0;
        while (!others_ran && rounds < 1000) {
            co_await sock_sendall(a, bytes_of("x"));
            static_cast<void>(co_await reads(b));
            ++rounds;
        }
        EXPECT_TRUE(others_ran);
        EXPECT_GT(rounds, 1);
    };
    run(body());
}

TEST_P(socket_test, what_sendall_has_sent_is_with_the_kernel_when_it_returns) {
    listener at;
    auto body = [&]() -> coro<> {
        socket ours = socket::create(AF_INET);
        co_await sock_connect(ours, at.generic(), sizeof at.address);
        const socket theirs(::accept(at.own.fd(), nullptr, nullptr));
        std::array<char, 16> got{};
        for (const std::string_view text : {"head", "body"}) {
            co_await sock_sendall(ours, bytes_of(text));
            EXPECT_EQ(1, ::send(ours.fd(), ".", 1, 0)) << "by the program itself";
            const ssize_t n = ::recv(theirs.fd(), got.data(), got.size(), 0);
            EXPECT_EQ(std::string(text) + ".", std::string(got.data(), static_cast<std::size_t>(n)));
        }
        co_await sock_sendall(ours, bytes_of("last"));
        EXPECT_EQ(0, ::shutdown(ours.fd(), SHUT_WR));
        EXPECT_EQ(4, ::recv(theirs.fd(), got.data(), got.size(), 0));
        EXPECT_EQ(0, ::recv(theirs.fd(), got.data(), got.size(), 0));
        std::error_code refused;
        try {
            co_await sock_sendall(ours, bytes_of("more"));
        } catch (const std::system_error& e) {
            refused = e.code();
        }
        EXPECT_EQ(EPIPE, refused.value()) << "it comes out of the call that caused it";
    };
    run(body());
}

TEST_P(socket_test, a_read_of_no_bytes_never_waits) {
    for (const transport over : {transport::unix_socket, transport::tcp}) {
        auto [a, b] = asyncio::connected(over);
        run([](socket& to, socket& from) -> coro<> {
            const task<std::string> reading = create_task(reads(from));
            co_await sleep(0ns);
            co_await sock_sendall(to, bytes_of("x"));
            co_await reading;
            const std::size_t n = co_await sock_recv(from, std::span<std::byte>());
            EXPECT_EQ(0u, n);
        }(a, b));
    }
}

TEST_P(socket_test, a_loop_may_be_torn_down_while_tasks_wait_for_sockets) {
    auto [a, b] = connected();
    auto held = std::make_shared<int>(0);
    auto waits = [&](std::shared_ptr<int>) -> coro<> {
        static_cast<void>(co_await reads(b, loop::time() + 1h));
    };
    {
        loop own(options());
        own.set_exception_handler([](loop&, const error_report&) {});
        static_cast<void>(own.create_task(waits(held)));
        own.stop();
        own.run_forever();
        EXPECT_EQ(own.io().attached(), 1u);
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_TRUE(b) << "the socket outlives its loop";
}

CROSSOVER_ON_EACH_BACK_END(socket_test);

}  // namespace
}  // namespace crossover::asyncio
