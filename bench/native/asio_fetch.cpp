// fetch on Boost.Asio: a coroutine with a socket for each connection.
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "bench/native/asio_types.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/fetch.hpp"

namespace crossover::bench::native {
namespace {

namespace net = boost::asio;
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

    static resources held(std::size_t) { return {}; }
    static bool fits(const fetch::params&) { return true; }

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

const registered<fetch, asio_fetch> here("asio");

}  // namespace
}  // namespace crossover::bench::native
