// fetch on plain epoll: edge-triggered, a small state machine per connection, one thread.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "bench/native/twin_cell_of.hpp"
#include "workloads/io/fetch.hpp"

namespace crossover::bench::native {
namespace {

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

class epoll_fetch {
  public:
    static constexpr std::string_view back_end = "eventpoll";

    epoll_fetch(const fetch::params& p, const setting& with)
        : params_(p),
          origin_(with.origin.value()),
          epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}
    ~epoll_fetch() { ::close(epoll_); }
    epoll_fetch(const epoll_fetch&) = delete;
    epoll_fetch& operator=(const epoll_fetch&) = delete;

    static resource_use resources(std::size_t) { return {}; }

    void run(std::span<fetched> out) {
        std::vector<connection> all(out.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].request = i;
            open(all[i]);
        }
        open_ = all.size();
        while (open_ > 0) {
            epoll_event events[256];
            const int n = ::epoll_wait(epoll_, events, 256, -1);
            for (int e = 0; e < n; ++e) go_on(*static_cast<connection*>(events[e].data.ptr), out.size());
        }
        for (std::size_t i = 0; i < all.size(); ++i) out[i] = all[i].got;
    }

  private:
    struct connection {
        ~connection() {
            if (fd >= 0) ::close(fd);
        }
        int fd = -1;
        bool connected = false;
        std::uint64_t request = 0;
        fetched got{0, 0, 0};
        http_reply reply;
    };

    void open(connection& c) {
        c.fd = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
        int on = 1;
        ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(origin_.address);
        to.sin_port = htons(origin_.port);
        if (::connect(c.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 && errno != EINPROGRESS)
            checked(-1, "connect");
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLET;
        event.data.ptr = &c;
        checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event), "epoll_ctl");
    }

    void ask(connection& c) {
        char buffer[512];
        std::array<char, longest_item_target> target;
        const item_target wanted(c.request, params_.delay_us, params_.bytes);
        const std::size_t length = format_get(buffer, origin_, format_item_target(target, wanted));
        // The socket's buffer is empty: it takes a request as a whole.
        if (checked(static_cast<int>(::send(c.fd, buffer, length, MSG_NOSIGNAL)), "send") !=
            static_cast<int>(length))
            throw http_error("a request did not fit into the socket's buffer");
    }

    void go_on(connection& c, std::size_t connections) {
        if (!c.connected) {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) throw std::system_error(error, std::generic_category(), "connect");
            c.connected = true;
            return ask(c);
        }
        std::array<std::byte, 8192> buffer;
        std::size_t n = buffer.size();
        while (n == buffer.size() && !c.reply.done()) {  // a short read has emptied the socket
            const ssize_t got = ::recv(c.fd, buffer.data(), buffer.size(), 0);
            if (got < 0 && errno == EAGAIN) return;
            n = static_cast<std::size_t>(checked(static_cast<int>(got), "recv"));
            if (n == 0)
                c.reply.finish();
            else
                c.reply.feed(std::span(buffer.data(), n));
        }
        if (!c.reply.done()) return;
        if (!c.reply.keep_alive()) throw http_error("the server closes the connection after a reply");
        c.got.add(c.reply);
        c.reply.reset();
        c.request += connections;
        if (c.request < params_.requests) return ask(c);
        const linger now{1, 0};  // leaves no port in TIME_WAIT
        ::setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(c.fd);
        c.fd = -1;
        --open_;
    }

    fetch::params params_;
    endpoint origin_;
    int epoll_;
    std::size_t open_ = 0;
};

const registered<fetch, epoll_fetch> here("event_loop");

}  // namespace
}  // namespace crossover::bench::native
