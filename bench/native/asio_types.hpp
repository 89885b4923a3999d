// Boost.Asio as its experts use it on one thread: an io_context without locks, and its own executor by name,
// which saves the calls through the type-erased one.
#pragma once

// clang-format off
#include <utility>  // first: awaitable.hpp of Boost 1.74 lacks it
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

namespace crossover::bench::native {

using asio_executor = boost::asio::io_context::executor_type;
using asio_token = boost::asio::use_awaitable_t<asio_executor>;
using asio_coroutine = boost::asio::awaitable<void, asio_executor>;

class asio_loop {
  public:
    asio_executor executor() { return context_.get_executor(); }

    void spawn(asio_coroutine what) {
        boost::asio::co_spawn(executor(), std::move(what), [this](std::exception_ptr error) {
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
    boost::asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    std::exception_ptr failed_;
};

}  // namespace crossover::bench::native
