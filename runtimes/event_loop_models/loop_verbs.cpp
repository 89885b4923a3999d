// Connecting, closing and failing: too rare to be inline.
#include "runtimes/event_loop_models/loop_verbs.hpp"

#include <netinet/in.h>

#include "runtimes/system/sockets.hpp"

namespace crossover::looped {

bool note_error(batch_state& state, std::size_t index, const std::exception_ptr& error) noexcept {
    return run_noted(state, index, [&] {
        try {
            std::rethrow_exception(error);
        } catch (const asyncio::cancelled_error&) {
            throw cancelled();
        }
    });
}

asyncio::coro<stream> verbs::connect(endpoint to, time_point deadline) {
    check(stop_);
    stream made(sockets::open_tcp(SOCK_NONBLOCK));
    sockaddr_in address = sockets::address_of(to);
    try {
        auto connected = asyncio::sock_connect(made.socket(), reinterpret_cast<const sockaddr*>(&address),
                                               sizeof address, deadline);
        co_await connected;
    } catch (const asyncio::cancelled_error&) {
        throw cancelled();
    } catch (const asyncio::timeout_error& e) {
        throw timed_out(e.what());
    } catch (const std::system_error& e) {
        sockets::fail(e.code().value(), "connect");
    }
    co_return std::move(made);
}

void stream::close() {
    if (!socket_) return;
    if (!ended_) sockets::abort_on_close(socket_.fd());
    socket_.close();
}

}  // namespace crossover::looped
