// Servers that begin to serve later, and how serving ends.
#include <unistd.h>

#include <filesystem>

#include "runtimes/event_loop/combinators/timeout.hpp"
#include "runtimes/event_loop/io/server.hpp"
#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tasks/with.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sleeps.hpp"
#include "runtimes/event_loop/tests/what_of.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class server_serving_test : public on_each_back_end {};

coro<> until_the_client_ends(stream_reader reader, stream_writer writer) {
    static_cast<void>(co_await reader.read());
    writer.close();
    co_await writer.wait_closed();
}

server_options later() {
    server_options o;
    o.start_serving = false;
    return o;
}

template <class T>
coro<std::string> refusal_of(coro<T> c) {
    return what_of<std::exception>(std::move(c));
}

TEST_P(server_serving_test, a_server_that_does_not_serve_yet_has_its_address_and_refuses_connections) {
    run([]() -> coro<> {
        const server s = co_await start_server(&until_the_client_ends, "127.0.0.1", 0, later());
        EXPECT_FALSE(s.is_serving());
        EXPECT_EQ(s.addresses().size(), 1u);
        const std::uint16_t port = s.port();
        EXPECT_NE(port, 0);
        const std::string refused = co_await refusal_of(open_connection("127.0.0.1", port));
        EXPECT_NE(refused.find("connecting to 127.0.0.1:"), std::string::npos);
        co_await s.start_serving();
        co_await s.start_serving();
        EXPECT_TRUE(s.is_serving());
        auto [reader, writer] = co_await open_connection("127.0.0.1", port);
        writer.close();
        s.close();
        EXPECT_FALSE(s.is_serving());
        co_await s.wait_closed();
        const std::string closed = co_await refusal_of(s.start_serving());
        EXPECT_EQ(closed, "the server is closed");
    }());
}

TEST_P(server_serving_test, serve_forever_begins_to_serve_and_one_task_at_a_time_may_await_it) {
    run([]() -> coro<> {
        const server s = co_await start_server(&until_the_client_ends, "127.0.0.1", 0, later());
        const task<> serving = create_task(s.serve_forever());
        co_await sleep(0ns);
        EXPECT_TRUE(s.is_serving());
        const std::string second = co_await refusal_of(s.serve_forever());
        EXPECT_EQ(second, "another task awaits serve_forever() of this server already");
        serving.cancel();
        co_await until_done(serving);
        EXPECT_TRUE(serving.cancelled());
        EXPECT_FALSE(s.is_serving());
        EXPECT_TRUE(s.addresses().empty());
        const std::string again = co_await refusal_of(s.serve_forever());
        EXPECT_EQ(again, "the server is closed");
    }());
}

TEST_P(server_serving_test, closing_the_server_cancels_serve_forever_once_the_last_connection_has_gone) {
    run([]() -> coro<> {
        const server s = co_await start_server(&until_the_client_ends, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        const task<> serving = create_task(s.serve_forever());
        co_await sleep(0ns);
        while (s.clients() == 0) co_await sleep(100us);
        s.close();
        co_await steps(3);
        EXPECT_FALSE(serving.done());
        writer.close();
        co_await until_done(serving);
        EXPECT_TRUE(serving.cancelled());
        EXPECT_EQ(serving.cancelling(), 0u);
    }());
}

TEST_P(server_serving_test, a_handler_may_cancel_the_task_that_serves_and_still_answer) {
    run([]() -> coro<> {
        task<> main_task;
        auto handler = [&](stream_reader reader, stream_writer writer) -> coro<> {
            static_cast<void>(co_await reader.readline());
            main_task.cancel();
            writer.write("1");
            writer.close();
            co_await writer.wait_closed();
        };
        const server s = co_await start_server(handler, "127.0.0.1", 0, later());
        auto serves = [](const server& in) -> coro<> { co_await in.serve_forever(); };
        auto in_scope = [&]() -> coro<> { co_await with(s, serves); };
        main_task = create_task(in_scope());
        while (!s.is_serving()) co_await sleep(0ns);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        writer.write(std::string(5 * 1024, '1') + "\n");
        const std::string answer = co_await reader.read();
        EXPECT_EQ(answer, "1");
        writer.close();
        co_await until_done(main_task);
        EXPECT_TRUE(main_task.cancelled());
        EXPECT_FALSE(s.is_serving());
    }());
}

TEST_P(server_serving_test, with_closes_the_server_and_waits_for_its_connections) {
    run([]() -> coro<> {
        server s = co_await start_server(&until_the_client_ends, "127.0.0.1", 0);
        std::optional<stream_pair> client;
        auto body = [&](server& in) -> coro<int> {
            client = co_await open_connection("127.0.0.1", in.port());
            while (in.clients() == 0) co_await sleep(100us);
            co_return 3;
        };
        const task<int> t = create_task(with(s, body));
        while (s.is_serving()) co_await sleep(100us);
        EXPECT_FALSE(t.done());
        client->second.close();
        const int result = co_await t;
        EXPECT_EQ(result, 3);
        EXPECT_EQ(s.clients(), 0u);
    }());
}

TEST_P(server_serving_test, all_who_wait_for_the_end_wait_for_close_and_for_the_last_connection) {
    run([]() -> coro<> {
        const server s = co_await start_server(&until_the_client_ends, "127.0.0.1", 0);
        const task<> before_clients = create_task(s.wait_closed());
        co_await steps(2);
        EXPECT_FALSE(before_clients.done());
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        while (s.clients() == 0) co_await sleep(100us);
        const task<> with_client = create_task(s.wait_closed());
        s.close();
        const task<> after_close = create_task(s.wait_closed());
        co_await steps(3);
        EXPECT_FALSE(before_clients.done());
        EXPECT_FALSE(with_client.done());
        EXPECT_FALSE(after_close.done());
        writer.close();
        co_await before_clients;
        co_await with_client;
        co_await after_close;
        co_await s.wait_closed();
    }());
}

TEST_P(server_serving_test, close_and_close_clients_end_the_wait_in_two_iterations) {
    run([]() -> coro<> {
        const server s = co_await start_server(&until_the_client_ends, "127.0.0.1", 0);
        auto [reader, writer] = co_await open_connection("127.0.0.1", s.port());
        while (s.clients() == 0) co_await sleep(100us);
        const task<> t = create_task(s.wait_closed());
        co_await sleep(0ns);
        s.close();
        s.close_clients();
        co_await steps(2);
        EXPECT_TRUE(t.done());
    }());
}

TEST_P(server_serving_test, the_file_of_a_unix_server_stays_if_it_is_to_and_may_be_gone_already) {
    const std::string path = std::filesystem::temp_directory_path() /
                             ("crossover_serving_" + std::to_string(::getpid()) + GetParam().name);
    run([](std::string at) -> coro<> {
        server_options stays;
        stays.cleanup_socket = false;
        const server kept = co_await start_unix_server(&until_the_client_ends, at, stays);
        kept.close();
        EXPECT_TRUE(std::filesystem::exists(at));
        const server replaces = co_await start_unix_server(&until_the_client_ends, at, later());
        EXPECT_FALSE(replaces.is_serving());
        std::filesystem::remove(at);
        co_await replaces.start_serving();
        replaces.close();
        EXPECT_FALSE(std::filesystem::exists(at));
    }(path));
}

TEST_P(server_serving_test, a_loop_that_closes_takes_a_server_that_never_served_with_it) {
    const std::string path = std::filesystem::temp_directory_path() /
                             ("crossover_unserved_" + std::to_string(::getpid()) + GetParam().name);
    const server s = run([](std::string at) -> coro<server> {
        co_return co_await start_unix_server(&until_the_client_ends, at, later());
    }(path));
    EXPECT_FALSE(s.is_serving());
    EXPECT_TRUE(s.addresses().empty());
    EXPECT_FALSE(std::filesystem::exists(path));
}

CROSSOVER_ON_EACH_BACK_END(server_serving_test);

}  // namespace
}  // namespace crossover::asyncio
