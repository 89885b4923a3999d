// Starting fibers, waiting for Asio in them, and ending waits when a batch is stopped.
#include "runtimes/fibers/fibers_stock.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/operations.hpp>
#include <exception>
#include <string>
#include <system_error>

#include "runtimes/system/sockets.hpp"

namespace crossover {

namespace net = boost::asio;
using boost::system::error_code;

// The library's round_robin, which sleeps in Asio when no fiber is ready: so the thread also wakes for
// sockets.
class fibers_stock::scheduler : public boost::fibers::algo::round_robin {
  public:
    explicit scheduler(fibers_stock& owner) : io_(owner.io_), alarm_(owner.alarm_) {}

    void suspend_until(const time_point& latest) noexcept override {
        if (latest != never && latest != alarm_.expiry()) {
            alarm_.expires_at(latest);
            alarm_.async_wait([](const error_code&) {});
        }
        io_.run_one();
        io_.poll();
    }

  private:
    net::io_context& io_;
    net::steady_timer& alarm_;
};

fibers_stock::fibers_stock(const options&) try : alarm_(io_) {
    boost::fibers::use_scheduling_algorithm<scheduler>(*this);
} catch (const boost::system::system_error& e) {
    refuse_if_out_of_descriptors(e.code().value(), "epoll");
    throw;
}

fibers_stock::~fibers_stock() { boost::fibers::use_scheduling_algorithm<boost::fibers::algo::round_robin>(); }

// --- Waits ---

blocking::ready<> fibers_stock::context::sleep_for(std::chrono::nanoseconds time) {
    check(stop_);
    const time_point until = from_now(time);
    if (!stop_) {
        boost::this_fiber::sleep_until(until);
        return {};
    }
    mutex own;
    condition stopped;
    lock held(own);
    wait(
        held, stopped, [] { return false; }, until);
    check(stop_);
    return {};
}

blocking::ready<> fibers_stock::context::yield() {
    check(stop_);
    boost::this_fiber::yield();
    return {};
}

template <class Begin>
std::size_t fibers_stock::context::complete(net::ip::tcp::socket& on, time_point deadline, const char* what,
                                            Begin begin) {
    check(stop_);
    mutex own;
    condition ended;
    bool done = false;
    error_code error;
    std::size_t bytes = 0;
    const auto is_done = [&done] { return done; };
    lock held(own);
    begin([&](const error_code& e, std::size_t moved = 0) {
        done = true;
        error = e;
        bytes = moved;
        ended.notify_one();
    });
    if (!wait(held, ended, is_done, deadline)) {
        on.cancel();
        ended.wait(held, is_done);
    }
    check(stop_);
    if (error == net::error::operation_aborted) throw timed_out(std::string(what) + " passed its deadline");
    if (error && error != net::error::eof) sockets::fail(error.value(), what);
    return bytes;
}

blocking::ready<fibers_stock::stream> fibers_stock::context::connect(endpoint to, time_point deadline) {
    stream made(owner_.io_);
    error_code error;
    made.socket_.open(net::ip::tcp::v4(), error);
    if (error) sockets::fail(error.value(), "socket");
    made.socket_.set_option(net::ip::tcp::no_delay(true));
    const net::ip::tcp::endpoint peer(net::ip::address_v4(to.address), to.port);
    complete(made.socket_, deadline, "connect",
             [&](auto handler) { made.socket_.async_connect(peer, handler); });
    return blocking::ready<stream>(std::move(made));
}

blocking::ready<std::size_t> fibers_stock::stream::read_some(context& ctx, std::span<std::byte> into,
                                                             time_point deadline) {
    const std::size_t n = ctx.complete(socket_, deadline, "read", [&](auto handler) {
        socket_.async_read_some(net::buffer(into.data(), into.size()), handler);
    });
    if (n == 0 && !into.empty()) ended_ = true;
    return blocking::ready<std::size_t>(n);
}

blocking::ready<> fibers_stock::stream::write_all(context& ctx, std::span<const std::byte> from,
                                                  time_point deadline) {
    while (!from.empty())
        from = from.subspan(ctx.complete(socket_, deadline, "write", [&](auto handler) {
            socket_.async_write_some(net::buffer(from.data(), from.size()), handler);
        }));
    return {};
}

void fibers_stock::stream::close() {
    if (!socket_.is_open()) return;
    if (!ended_) sockets::abort_on_close(socket_.native_handle());
    error_code ignored;
    socket_.close(ignored);
}

// --- Batches ---

void fibers_stock::run_batch(std::size_t n, job<context> item_job, const void* batch, const policy& rules,
                             const stop_state* outer) {
    batch_state state(rules, outer);
    context ctx(*this, state.stop());
    mutex counting;
    condition ended;
    std::size_t alive = 0;
    std::exception_ptr failed;

    const auto stop = [this] {
        for (condition* waited : stoppable_) waited->notify_all();
    };
    const auto item = [&](std::size_t i) {
        lock held(counting);
        ++alive;
        ++alive_;
        held.unlock();
        if (run_noted(state, i, [&] { item_job(ctx, batch, i).finish(); })) stop();
        held.lock();
        --alive;
        --alive_;
        if (alive == 0 || alive == rules.in_flight - 1) ended.notify_one();
    };

    lock held(counting);
    for (std::size_t i = 0; i < n && !failed; ++i) {
        ended.wait(held, [&] { return alive < rules.in_flight; });
        if (state.stopped()) break;
        held.unlock();
        try {
            if (alive_ == guaranteed_concurrency())
                throw refused("one fiber more than there may be: " + concurrency_limit());
            boost::fibers::fiber(boost::fibers::launch::dispatch, item, i).detach();
        } catch (...) {
            failed = std::current_exception();
            state.raise();
            stop();
        }
        held.lock();
    }
    ended.wait(held, [&] { return alive == 0; });
    if (failed) std::rethrow_exception(failed);
    state.finish();
}

blocking::ready<> fibers_stock::context::run(std::size_t n, job<context> item_job, const void* batch,
                                             policy rules) {
    check(stop_);
    owner_.run_batch(n, item_job, batch, rules, stop_);
    return {};
}

}  // namespace crossover
