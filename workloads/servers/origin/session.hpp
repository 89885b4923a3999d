// One connection to the origin: reads requests, waits as asked, answers. Its pending operations own it.
#pragma once

#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "workloads/servers/origin/origin_sockets.hpp"
#include "workloads/servers/origin/origin_state.hpp"
#include "workloads/servers/origin/request_parser.hpp"

namespace crossover {

class session : public boost::intrusive_ref_counter<session, boost::thread_unsafe_counter> {
  public:
    // `state` must outlive the io_context of the socket.
    static void start(origin_state& state, origin_socket socket);
    ~session();

  private:
    using error_code = boost::system::error_code;

    session(origin_state& state, origin_socket socket);

    void read();
    void take_requests();
    void answer();
    void begin_item();
    void begin_page();
    void count_in();
    void after(std::uint64_t delay_us, void (session::*act)());
    void send_item();
    void send_page();
    void send_half_a_page();
    void send_failure();
    char* put_head(std::uint64_t body_bytes);
    void send_text(std::string_view status, std::string_view text, bool keep_open);
    void send(std::size_t head, std::span<const std::byte> rest);
    void sent();
    void linger();
    void close();
    void finish_item();
    boost::intrusive_ptr<session> self() { return this; }

    origin_state& state_;
    origin_socket socket_;
    origin_timer timer_;
    std::optional<request_parser> parser_;
    bool reading_ = false;
    bool answering_ = false;  // a request has been read and its answer is not yet sent
    bool in_flight_ = false;  // and it is for an item
    bool keep_open_ = true;
    bool lingering_ = false;
    bool closed_ = false;
    std::size_t begin_ = 0;  // the bytes read and not yet parsed are in_[begin_, end_)
    std::size_t end_ = 0;
    std::array<char, 4096> in_;
    std::array<char, 1536> out_;
};

}  // namespace crossover
