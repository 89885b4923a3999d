// Datagrams: who sent what, waiting, deadlines and cancellation.
#include "runtimes/event_loop/io/datagram.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <system_error>

#include "runtimes/event_loop/tasks/task.hpp"
#include "runtimes/event_loop/tests/on_each_back_end.hpp"
#include "runtimes/event_loop/tests/sockets.hpp"

namespace crossover::asyncio {
namespace {

using namespace std::chrono_literals;

class datagram_test : public on_each_back_end {};

socket bound() {
    socket s = socket::create(AF_INET, SOCK_DGRAM);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, ::bind(s.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
    return s;
}

// What came, and the port it came from.
coro<std::pair<std::string, std::uint16_t>> receives(socket& s, std::size_t room = 64,
                                                     time_point deadline = no_deadline) {
    std::array<std::byte, 64> buffer;
    const received_datagram d = co_await sock_recvfrom(s, std::span(buffer).first(room), deadline);
    co_return std::pair(std::string(reinterpret_cast<const char*>(buffer.data()), d.size), d.sender.port());
}

TEST_P(datagram_test, each_comes_whole_with_the_address_of_its_sender) {
    run([]() -> coro<> {
        socket one = bound();
        socket two = bound();
        const socket_address to_one = local_address(one);
        const socket_address to_two = local_address(two);
        const auto waiting = create_task(receives(two));
        co_await sleep(0ns);
        EXPECT_FALSE(waiting.done());
        co_await sock_sendto(one, bytes_of("first"), to_two);
        co_await sock_sendto(one, bytes_of("second, too long"), to_two);
        co_await sock_sendto(one, bytes_of(""), to_two);
        const auto first = co_await waiting;
        const auto second = co_await receives(two, 6);
        const auto third = co_await receives(two);
        EXPECT_EQ(first, (std::pair<std::string, std::uint16_t>("first", to_one.port())));
        EXPECT_EQ(second.first, "second") << "what does not fit is lost";
        EXPECT_EQ(third.first, "");
        co_await sock_sendto(two, bytes_of("back"), to_one);
        const auto back = co_await receives(one);
        EXPECT_EQ(back, (std::pair<std::string, std::uint16_t>("back", to_two.port())));
    }());
}

TEST_P(datagram_test, a_wait_that_is_cancelled_or_late_leaves_the_socket_free_for_the_next) {
    run([]() -> coro<> {
        socket s = bound();
        const socket_address here = local_address(s);
        const auto waiting = create_task(receives(s));
        co_await sleep(0ns);
        waiting.cancel();
        co_await until_done(waiting);
        EXPECT_TRUE(waiting.cancelled());
        bool late = false;
        try {
            static_cast<void>(co_await receives(s, 64, loop::time() + 1ms));
        } catch (const timeout_error&) {
            late = true;
        }
        EXPECT_TRUE(late);
        co_await sock_sendto(s, bytes_of("to myself"), here);
        const auto got = co_await receives(s);
        EXPECT_EQ(got.first, "to myself");
    }());
}

TEST_P(datagram_test, one_that_the_system_refuses_to_send_is_an_error_of_the_system) {
    run([]() -> coro<> {
        socket s = bound();
        const std::string too_long(70'000, 'x');
        const socket_address here = local_address(s);
        int error = 0;
        try {
            co_await sock_sendto(s, bytes_of(too_long), here);
        } catch (const std::system_error& e) {
            error = e.code().value();
        }
        EXPECT_EQ(error, EMSGSIZE);
    }());
}

CROSSOVER_ON_EACH_BACK_END(datagram_test);

}  // namespace
}  // namespace crossover::asyncio
