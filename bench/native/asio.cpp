// The native twins on Boost.Asio.

// clang-format off
#include <utility>  // first: awaitable.hpp of Boost 1.74 lacks it
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <exception>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/cpu/sum_squares.hpp"
#include "workloads/io/fetch.hpp"
#include "workloads/io/sleepers.hpp"

namespace crossover::bench::native {
namespace {

namespace net = boost::asio;

// Boost.Asio as its experts use it on one thread: an io_context without locks, and its own executor by name,
// which saves the calls through the type-erased one.
using asio_executor = net::io_context::executor_type;
using asio_token = net::use_awaitable_t<asio_executor>;
using asio_coroutine = net::awaitable<void, asio_executor>;

class asio_loop {
  public:
    asio_executor executor() { return context_.get_executor(); }

    void spawn(asio_coroutine what) {
        net::co_spawn(executor(), std::move(what), [this](std::exception_ptr error) {
            if (error) failed_ = error;
        });
    }

    // Until nothing is left to do. Throws what a coroutine has thrown.
    void run() {
        context_.restart();
        context_.run();
        if (failed_) std::rethrow_exception(std::exchange(failed_, nullptr));
    }

  private:
    net::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    std::exception_ptr failed_;
};

// --- sleepers: a coroutine with a timer for each.

using timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                        net::wait_traits<std::chrono::steady_clock>, asio_executor>;

asio_coroutine sleeper(asio_executor on, std::chrono::microseconds delay, std::size_t i,
                       sleepers::output& out) {
    timer until(on, delay);
    auto over = until.async_wait(asio_token());
    co_await std::move(over);
    out.woken = i;
}

class asio_sleepers {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    asio_sleepers(const sleepers::params& p, const setting&) : delay_(p.delay_us) {}

    static resource_use resources(std::size_t) { return {}; }
    static bool fits(const sleepers::params& p) { return p.in_flight >= p.tasks; }

    void run(std::span<sleepers::output> out) {
        for (std::size_t i = 0; i < out.size(); ++i)
            loop_.spawn(sleeper(loop_.executor(), delay_, i, out[i]));
        loop_.run();
    }

  private:
    std::chrono::microseconds delay_;
    asio_loop loop_;
};

const registered<sleepers, asio_sleepers> sleepers_twin("asio");

// --- fetch: a coroutine with a socket for each connection.

using net::ip::tcp;
using tcp_socket = net::basic_stream_socket<tcp, asio_executor>;

asio_coroutine connection(asio_executor on, const fetch::params& p, endpoint origin, std::size_t first,
                          std::size_t connections, fetched& out) {
    fetched got{0, 0, 0};
    http_reply reply;
    http_buffer buffer;
    std::array<char, longest_item_target> room;
    tcp_socket socket(on);
    socket.open(tcp::v4());
    socket.set_option(tcp::no_delay(true));
    const tcp::endpoint peer(net::ip::address_v4(origin.address), origin.port);
    auto connected = socket.async_connect(peer, asio_token());
    co_await std::move(connected);
    for (std::uint64_t request = first; request < p.requests; request += connections) {
        const item_target wanted(request, p.delay_us, p.bytes);
        const std::span<char> text(reinterpret_cast<char*>(buffer.data()), buffer.size());
        const std::size_t length = format_get(text, origin, format_item_target(room, wanted));
        auto written = net::async_write(socket, net::buffer(buffer.data(), length), asio_token());
        co_await std::move(written);
        while (!reply.done()) {
            boost::system::error_code error;
            auto read = socket.async_read_some(net::buffer(buffer.data(), buffer.size()),
                                               net::redirect_error(asio_token(), error));
            const std::size_t n = co_await std::move(read);
            if (error == net::error::eof)
                reply.finish();
            else if (error)
                throw boost::system::system_error(error, "read");
            else
                reply.feed(std::span(buffer.data(), n));
        }
        if (!reply.keep_alive()) throw http_error("the server closes the connection after a reply");
        got.add(reply);
        reply.reset();
    }
    socket.set_option(net::socket_base::linger(true, 0));  // leaves no port in TIME_WAIT
    out = got;
}

class asio_fetch {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    asio_fetch(const fetch::params& p, const setting& with) : params_(p), origin_(with.origin.value()) {}

    static resource_use resources(std::size_t) { return {}; }

    void run(std::span<fetched> out) {
        for (std::size_t i = 0; i < out.size(); ++i)
            loop_.spawn(connection(loop_.executor(), params_, origin_, i, out.size(), out[i]));
        loop_.run();
    }

  private:
    fetch::params params_;
    endpoint origin_;
    asio_loop loop_;
};

const registered<fetch, asio_fetch> fetch_twin("asio");

// --- sum_squares: a handler posted for each sum.

class asio_sum_squares {
  public:
    asio_sum_squares(const sum_squares::params& p, const setting&) : n_(p.n) {}

    static resource_use resources(std::size_t) { return {}; }

    void run(std::span<sum_squares::output> out) {
        for (sum_squares::output& one : out)
            net::post(loop_.executor(), [&one, n = n_] { one.sum = kernels::sum_of_squares(n); });
        loop_.run();
    }

  private:
    std::uint64_t n_;
    asio_loop loop_;
};

const registered<sum_squares, asio_sum_squares> sum_squares_twin("asio");

// Why Boost.Asio has no native twin of a tree.
const no_twin<skynet> no_skynet("asio",
                                "Boost.Asio 1.74 awaits one coroutine at a time, and joins no others");

}  // namespace
}  // namespace crossover::bench::native
