// The Asio types of the origin.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>

namespace crossover {

// The concrete executor spares every operation the type-erased one.
using origin_executor = boost::asio::io_context::executor_type;
using origin_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, origin_executor>;
using origin_acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, origin_executor>;
using origin_timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, origin_executor>;

}  // namespace crossover
