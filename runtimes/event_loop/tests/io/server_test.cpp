// Servers: their clients, their end, their socket files.
#include "runtimes/event_loop/io/server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/loop/context.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/what_of.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class server_test : public on_each_back_end {};

coro<> echo_lines(stream_reader reader, stream_writer writer) {
    for (;;) {
        const std::string line = co_await reader.readline();
        if (line.empty()) break;
        writer.write(line);
        co_await writer.drain();
    }
    writer.close();
}

TEST_P(server_test, conformance_154_a_server_serves_many_clients_and_waits_for_them) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, "127.0.0.1", 0);
        EXPECT_TRUE(s.is_serving());
        std::vector<task<>> clients;
        clients.reserve(20);
        for (int i = 0; i < 20; ++i)
            clients.push_back(create_task([](std::uint16_t port, int n) -> coro<> {
                auto [reader, writer] = co_await open_connection("localhost", port);
                for (int k = 0; k < 10; ++k) {
                    const std::string line = std::to_string(n * k) + "\n";
                    writer.write(line);
                    const std::string got = co_await reader.readline();
                    EXPECT_EQ(line, got);
                }
                writer.close();
                co_await writer.wait_closed();
            }(s.port(), i)));
        for (auto& c : clients) co_await c;
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        writer.write("x\n");
        const std::string one = co_await reader.readline();
        EXPECT_EQ("x\n", one);
        s.close();
        EXPECT_FALSE(s.is_serving());
        EXPECT_TRUE(s.addresses().empty());
        auto closed = create_task(s.wait_closed());
        co_await sleep(2ms);
        EXPECT_FALSE(closed.done()) << "a connection is open";
        writer.write("still served\n");
        const std::string two = co_await reader.readline();
        EXPECT_EQ("still served\n", two);
        writer.close();
        co_await closed;
    }());
}

// Not listening yet.
socket bound_to_loopback(int type = SOCK_STREAM) {
    socket s = socket::create(AF_INET, type);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, ::bind(s.fd(), reinterpret_cast<const sockaddr*>(&at), sizeof at));
    return s;
}

TEST_P(server_test, a_server_at_a_bound_socket_and_a_stream_over_a_connected_one) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, bound_to_loopback());
        socket client = socket::create(AF_INET);
        const socket_address at = s.addresses().front();
        co_await sock_connect(client, at.get(), at.size());
        auto [reader, writer] = co_await open_connection(std::move(client));
        writer.write("over sockets\n");
        const std::string got = co_await reader.readline();
        EXPECT_EQ("over sockets\n", got);
        writer.close();
        s.close();
        co_await s.wait_closed();
    }());
}

TEST_P(server_test, a_socket_of_another_type_is_refused) {
    run([]() -> coro<> {
        const std::string expected = "a stream socket was expected: make it SOCK_STREAM";
        const std::string of_server =
            co_await what_of<std::invalid_argument>(start_server(&echo_lines, bound_to_loopback(SOCK_DGRAM)));
        EXPECT_EQ(expected, of_server);
        const std::string of_client =
            co_await what_of<std::invalid_argument>(open_connection(bound_to_loopback(SOCK_DGRAM)));
        EXPECT_EQ(expected, of_client);
    }());
}

TEST_P(server_test, conformance_154_cancelling_serve_forever_closes_the_server) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, "127.0.0.1", 0);
        const std::uint16_t port = s.port();
        auto serving = create_task(s.serve_forever());
        co_await sleep(1ms);
        EXPECT_FALSE(serving.done());
        serving.cancel();
        co_await until_done(serving);
        EXPECT_TRUE(serving.cancelled());
        EXPECT_FALSE(s.is_serving());
        auto what = co_await what_of<std::system_error>(open_connection("127.0.0.1", port));
        EXPECT_NE(std::string::npos, what.find("connecting to 127.0.0.1:"));
    }());
}

TEST_P(server_test, conformance_154_close_clients_and_abort_clients_end_connections) {
    run([]() -> coro<> {
        const server s = co_await start_server(&echo_lines, "127.0.0.1", 0);
        for (const bool abort : {false, true}) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
            writer.write("x\n");
            const std::string line = co_await reader.readline();
            EXPECT_EQ("x\n", line);
            EXPECT_EQ(1u, s.clients());
            if (abort)
                s.abort_clients();
            else
                s.close_clients();
            EXPECT_EQ(0u, s.clients());
            bool reset = false;
            try {
                const std::string end = co_await reader.read();
                EXPECT_EQ("", end);
            } catch (const std::system_error&) {
                reset = true;
            }
            EXPECT_EQ(abort, reset);
        }
        s.close();
        co_await s.wait_closed();
    }());
}

TEST_P(server_test, conformance_153_an_exception_of_a_handler_is_reported_and_a_cancellation_is_silent) {
    log reports;
    run([](log& reported) -> coro<> {
        get_running_loop().set_exception_handler(
            [&reported](loop&, const error_report& r) { reported.push_back(r.message); });
        auto handler = [](stream_reader reader, stream_writer) -> coro<> {
            const std::string line = co_await reader.readline();
            if (line == "throw\n") throw std::runtime_error("handler failed");
            current_task().cancel();
            co_await sleep(1h);
        };
        const server s = co_await start_server(handler, "127.0.0.1", 0);
        for (const char* what : {"throw\n", "cancel\n"}) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
            writer.write(what);
            const std::string end = co_await reader.read();
            EXPECT_EQ("", end) << "the connection was closed";
        }
        s.close();
        co_await s.wait_closed();
    }(reports));
    EXPECT_EQ(log{"Unhandled exception in client_connected_cb"}, reports);
}

TEST_P(server_test, a_server_at_a_bound_unix_socket_removes_its_file) {
    run([]() -> coro<> {
        const std::string path =
            testing::TempDir() + "crossover_bound_" + std::to_string(::getpid()) + ".socket";
        ::unlink(path.c_str());
        socket bound = socket::create(AF_UNIX);
        const socket_address at = unix_address(path);
        EXPECT_EQ(0, ::bind(bound.fd(), at.get(), at.size()));
        const server s = co_await start_server(&echo_lines, std::move(bound));
        auto [reader, writer] = co_await open_unix_connection(path);
        writer.write("x\n");
        const std::string got = co_await reader.readline();
        EXPECT_EQ("x\n", got);
        writer.close();
        s.close();
        EXPECT_FALSE(std::filesystem::exists(path));
        co_await s.wait_closed();
    }());
}

TEST_P(server_test, handlers_begin_in_copies_of_the_context_in_which_the_server_was_started) {
    context_var<int> number("number", 0);
    run([](context_var<int>& v) -> coro<> {
        v.set(1);
        const auto tells = [&v](stream_reader, stream_writer writer) -> coro<> {
            writer.write(std::to_string(v.get()));
            v.set(9);
            writer.close();
            co_await writer.wait_closed();
        };
        const server s = co_await start_server(tells, "127.0.0.1", 0);
        v.set(2);
        for (int i = 0; i < 2; ++i) {
            auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
            const std::string got = co_await reader.read();
            EXPECT_EQ("1", got);
        }
        s.close();
        co_await s.wait_closed();
    }(number));
}

TEST_P(server_test, conformance_156_a_unix_server_removes_its_socket_unless_it_was_replaced) {
    const std::string path =
        testing::TempDir() + "crossover_stream_" + std::to_string(::getpid()) + GetParam().name;
    run([](std::string at) -> coro<> {
        const server first = co_await start_unix_server(&echo_lines, at);
        auto [reader, writer] = co_await open_unix_connection(at);
        writer.write("hello\n");
        const std::string line = co_await reader.readline();
        EXPECT_EQ("hello\n", line);
        const server second = co_await start_unix_server(&echo_lines, at);
        first.close();
        EXPECT_TRUE(std::filesystem::exists(at)) << "it is the second server's";
        second.close();
        EXPECT_FALSE(std::filesystem::exists(at));
    }(path));
}

// In a process of its own, whose table of hosts is this one. Its exit code; none where that may not be.
template <class Check>
std::optional<int> with_hosts(const std::string& table, Check check) {
    const pid_t child = ::fork();
    if (child == 0) {
        constexpr int not_permitted = 77;
        const std::string path = testing::TempDir() + "crossover_hosts_" + std::to_string(::getpid());
        std::ofstream(path) << table;
        const bool laid = ::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", "", MS_REC | MS_PRIVATE, "") == 0 &&
                          ::mount(path.c_str(), "/etc/hosts", "", MS_BIND, "") == 0;
        const int code = laid ? check() : not_permitted;
        ::unlink(path.c_str());
        ::_exit(code);
    }
    int status = 0;
    EXPECT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) return std::nullopt;
    return WEXITSTATUS(status);
}

TEST_P(server_test, of_the_addresses_of_a_host_those_are_served_that_this_machine_has) {
    const std::string table =
        "127.0.0.1 both.test\n127.0.0.1 both.test other\n203.0.113.7 both.test\n203.0.113.7 away.test\n";
    const std::optional<int> code = with_hosts(table, [this] {
        return run([]() -> coro<int> {
            const server s = co_await start_server(echo_lines, "both.test", 0);
            if (s.addresses().size() != 1) co_return 1;
            s.close();
            const std::string what =
                co_await what_of<std::system_error>(start_server(echo_lines, "away.test", 0));
            co_return what.find("no address of the host 'away.test'") == std::string::npos ? 2 : 0;
        }());
    });
    if (!code) GTEST_SKIP() << "a private table of hosts needs root";
    EXPECT_EQ(0, *code);
}

TEST_P(server_test, what_is_open_when_the_loop_closes_is_closed) {
    int fd = -1;
    run([](int& ours_fd) -> coro<> {
        auto deaf = [](stream_reader, stream_writer) -> coro<> { co_await sleep(1h); };
        const server s = co_await start_server(deaf, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        writer.write(std::string(8 << 20, 'z'));
        ours_fd = ::fcntl(writer.fd(), F_DUPFD_CLOEXEC, 0);
    }(fd));
    char byte;
    EXPECT_LE(::recv(fd, &byte, 1, MSG_DONTWAIT), 0);
    EXPECT_NE(EAGAIN, errno);
    ::close(fd);
}

CROSSOVER_ON_EACH_BACK_END(server_test);

coro<std::string> greeted_by(std::uint16_t port) {
    const stream_pair s = co_await open_connection("127.0.0.1", port);
    co_return co_await s.first.read();
}

TEST_P(server_test, a_limit_of_zero_is_refused_before_anybody_connects) {
    run([]() -> coro<> {
        server_options none;
        none.limit = 0;
        const auto nobody = [](stream_reader, stream_writer) -> coro<> { co_return; };
        bool refused = false;
        try {
            static_cast<void>(co_await start_server(nobody, "127.0.0.1", 0, none));
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        EXPECT_TRUE(refused);
    }());
}

TEST_P(server_test, a_client_that_cannot_be_served_is_reported_and_the_next_is_served) {
    run([]() -> coro<> {
        loop& l = get_running_loop();
        std::vector<std::string> reports;
        l.set_exception_handler([&](loop&, const error_report& r) { reports.push_back(r.message); });
        const auto greets = [](stream_reader, stream_writer w) -> coro<> {
            w.write("hello");
            w.close();
            co_return;
        };
        const server s = co_await start_server(greets, "127.0.0.1", 0);
        const task<std::string> first = create_task(greeted_by(s.port()));
        l.set_task_factory([&](loop& of, const any_task&) -> first_step {
            of.set_task_factory(nullptr);
            throw std::runtime_error("no task for this one");
        });
        const std::string nothing = co_await first;
        EXPECT_EQ("", nothing);
        EXPECT_EQ(std::vector<std::string>{"serving a connection failed: it is closed"}, reports);
        const std::string text = co_await greeted_by(s.port());
        EXPECT_EQ("hello", text);
        l.set_exception_handler(nullptr);
        s.close();
        co_await s.wait_closed();
    }());
}

}  // namespace
}  // namespace crossover::asyncio
