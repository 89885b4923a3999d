// Starting awaitables, waiting for timers and sockets, and ending both when a batch is stopped.
#include "runtimes/peers/asio.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <exception>
#include <string>
#include <system_error>

#include "runtimes/system/limits/limits.hpp"
#include "runtimes/system/sockets.hpp"

namespace crossover {

namespace net = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t most_per_step = 256 * 1024;

// Calls something at a time. A handler that is queued already cannot be cancelled any more, so it has to be
// settled before it ends.
class alarm {
  public:
    template <class Function>
    alarm(asio::executor on, time_point when, Function call) : timer_(on, when) {
        timer_.async_wait([this, call](const error_code& cancelled_before) {
            if (cancelled_before) return;
            rang_ = true;
            call();
        });
    }

    bool rang() const { return rang_; }

    asio::async<> settle() {
        if (timer_.cancel() != 0) co_return;
        while (!rang_) {
            auto turn = net::post(timer_.get_executor(), asio::token());
            co_await std::move(turn);
        }
    }

  private:
    asio::timer timer_;
    bool rang_ = false;
};

}  // namespace

// Asio opens its epoll with the first timer or socket, where items may have left it no descriptor.
asio::asio(const options&) try {
    const timer first(executor_);
} catch (const boost::system::system_error& e) {
    refuse_if_out_of_descriptors(e.code().value(), "epoll");
    throw;
}

// --- Waits ---

void asio::turn::wake() {
    if (!sleeper_) return;
    handler resumed = std::move(*sleeper_);
    sleeper_.reset();
    net::post(on_, std::move(resumed));
}

// A socket operation that a stop or a deadline ends. It holds one by one: the socket, the stop, the time.
class asio::socket_wait : wait {
  public:
    socket_wait(context& ctx, socket& on, time_point deadline) : wait(ctx, &interrupt), socket_(on) {
        if (deadline != never) alarm_.emplace(on.get_executor(), deadline, [this] { socket_.cancel(); });
    }

    // Whether a stop or the deadline has ended it; tells operations of several steps not to begin another.
    bool interrupted() const { return (stop_ && stop_->raised()) || (alarm_ && alarm_->rang()); }

    // To be awaited after the operation if it has a deadline.
    bool has_deadline() const { return alarm_.has_value(); }
    async<> settle() { return alarm_->settle(); }

    // Then throws `cancelled` or timed_out; `unfinished` says that the operation was aborted.
    void check_ended(const char* what, bool unfinished) const {
        check(stop_);
        if (unfinished && alarm_ && alarm_->rang())
            throw timed_out(std::string(what) + " passed its deadline");
    }

  private:
    static void interrupt(wait& w) { static_cast<socket_wait&>(w).socket_.cancel(); }

    socket& socket_;
    std::optional<alarm> alarm_;
};

void asio::interrupt_stopped() {
    for (wait& w : stoppable_)
        if (w.stop_->raised()) w.interrupt_(w);
}

asio::async<> asio::context::sleep_for(std::chrono::nanoseconds time) {
    check(stop_);
    struct sleep : wait {
        sleep(context& ctx, time_point end)
            : wait(ctx, [](wait& w) { static_cast<sleep&>(w).until.cancel(); }),
              until(ctx.owner_.executor_, end) {}
        timer until;
    };
    sleep mine(*this, from_now(time));
    error_code interrupted;
    auto over = mine.until.async_wait(net::redirect_error(token(), interrupted));
    co_await std::move(over);
    check(stop_);
}

asio::async<> asio::context::yield() {
    check(stop_);
    return net::post(owner_.executor_, token());
}

asio::async<asio::stream> asio::context::connect(endpoint to, time_point deadline) {
    check(stop_);
    stream made(owner_.executor_);
    error_code error;
    made.socket_.open(net::ip::tcp::v4(), error);
    if (error) sockets::fail(error.value(), "socket");
    made.socket_.set_option(net::ip::tcp::no_delay(true));
    socket_wait wait(*this, made.socket_, deadline);
    const net::ip::tcp::endpoint peer(net::ip::address_v4(to.address), to.port);
    auto connected = made.socket_.async_connect(peer, net::redirect_error(token(), error));
    co_await std::move(connected);
    if (wait.has_deadline()) {
        auto settled = wait.settle();
        co_await std::move(settled);
    }
    wait.check_ended("connect", error == net::error::operation_aborted);
    if (error) sockets::fail(error.value(), "connect");
    co_return std::move(made);
}

// Where nothing can end an operation early it is awaited as Asio's users await it: a request takes 5 % less
// CPU time.
asio::async<std::size_t> asio::stream::read_some(context& ctx, std::span<std::byte> into,
                                                 time_point deadline) {
    check(ctx.stop());
    return ctx.stop() || deadline != never ? read_until(ctx, into, deadline) : read(into);
}

asio::async<> asio::stream::write_all(context& ctx, std::span<const std::byte> from, time_point deadline) {
    check(ctx.stop());
    return ctx.stop() || deadline != never ? write_until(ctx, from, deadline) : write(from);
}

asio::async<std::size_t> asio::stream::read(std::span<std::byte> into) {
    error_code error;
    auto read =
        socket_.async_read_some(net::buffer(into.data(), into.size()), net::redirect_error(token(), error));
    const std::size_t n = co_await std::move(read);
    note_end(error);
    co_return n;
}

asio::async<> asio::stream::write(std::span<const std::byte> from) {
    error_code error;
    auto written =
        net::async_write(socket_, net::buffer(from.data(), from.size()), net::redirect_error(token(), error));
    co_await std::move(written);
    if (error) throw std::system_error(error.value(), std::generic_category(), "write");
}

// After a read.
void asio::stream::note_end(const error_code& error) {
    if (error == net::error::eof)
        ended_ = true;
    else if (error)
        throw std::system_error(error.value(), std::generic_category(), "read");
}

asio::async<std::size_t> asio::stream::read_until(context& ctx, std::span<std::byte> into,
                                                  time_point deadline) {
    socket_wait wait(ctx, socket_, deadline);
    error_code error;
    auto read =
        socket_.async_read_some(net::buffer(into.data(), into.size()), net::redirect_error(token(), error));
    const std::size_t n = co_await std::move(read);
    if (wait.has_deadline()) {
        auto settled = wait.settle();
        co_await std::move(settled);
    }
    wait.check_ended("read", error == net::error::operation_aborted);
    note_end(error);
    co_return n;
}

asio::async<> asio::stream::write_until(context& ctx, std::span<const std::byte> from, time_point deadline) {
    socket_wait wait(ctx, socket_, deadline);
    error_code error;
    auto rest = [&wait](const error_code& e, std::size_t) -> std::size_t {
        return e || wait.interrupted() ? 0 : most_per_step;
    };
    auto written = net::async_write(socket_, net::buffer(from.data(), from.size()), rest,
                                    net::redirect_error(token(), error));
    const std::size_t n = co_await std::move(written);
    if (wait.has_deadline()) {
        auto settled = wait.settle();
        co_await std::move(settled);
    }
    wait.check_ended("write", n < from.size());
    if (error) throw std::system_error(error.value(), std::generic_category(), "write");
}

void asio::stream::close() {
    if (!socket_.is_open()) return;
    if (!ended_) sockets::abort_on_close(socket_.native_handle());
    error_code ignored;
    socket_.close(ignored);
}

// --- Batches ---

// Lies in the frame of the coroutine that awaits the batch.
struct asio::running_batch {
    running_batch(asio& runtime, std::size_t items, job<context> job_of_items, const void* items_data,
                  const policy& rules, const stop_state* outer, context& around)
        : owner(runtime),
          state(rules, outer),
          ctx(runtime, state.stop()),
          item_job(job_of_items),
          data(items_data),
          n(items),
          end(around) {}

    asio& owner;
    batch_state state;
    context ctx;
    job<context> item_job;
    const void* data;
    std::size_t n;
    std::size_t next = 0;
    std::size_t alive = 0;
    std::size_t starters = 0;  // handlers that are posted, or running
    turn end;

    // So many items are started between two looks at epoll, which comes up once in each round of the queue.
    static constexpr std::size_t most_starters = 64;

    void post_starter() {
        ++starters;
        net::post(owner.executor_, [this] { start_next(); });
    }

    bool has_room() const { return next < n && alive + starters < state.rules().in_flight; }

    void start_next() {
        if (state.stopped()) next = n;
        if (next < n) start(next++);
        --starters;
        go_on();
    }

    void start(std::size_t index) {
        ++alive;
        std::exception_ptr error;
        try {
            context::task started = item_job(ctx, data, index);
            if (started.valid())
                return net::co_spawn(owner.executor_, std::move(started),
                                     [this, index](std::exception_ptr e) {
                                         ended(index, e);
                                         go_on();
                                     });
        } catch (...) {
            error = std::current_exception();
        }
        ended(index, error);
    }

    void ended(std::size_t index, const std::exception_ptr& error) {
        --alive;
        if (run_noted(state, index, [&] {
                if (error) std::rethrow_exception(error);
            }))
            owner.interrupt_stopped();
    }

    void go_on() {
        if (has_room() && starters < most_starters)
            post_starter();
        else if (alive == 0 && starters == 0)
            end.wake();
    }
};

asio::async<> asio::run_batch(std::size_t n, job<context> item_job, const void* batch, policy rules,
                              const stop_state* outer) {
    context unstoppable(*this, nullptr);  // the batch ends when its items have, whatever stops them
    running_batch all(*this, n, item_job, batch, rules, outer, unstoppable);
    std::optional<alarm> late;
    if (rules.deadline != never)
        late.emplace(executor_, rules.deadline, [&all] {
            all.state.raise();
            all.owner.interrupt_stopped();
        });
    const std::size_t first = std::min({n, rules.in_flight, running_batch::most_starters});
    for (std::size_t i = 0; i < first; ++i) all.post_starter();
    if (first != 0) {
        auto ended = all.end.until_woken();
        co_await std::move(ended);
    }
    if (late) {
        auto settled = late->settle();
        co_await std::move(settled);
    }
    all.state.finish();
}

asio::async<> asio::context::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    check(stop_);
    return owner_.run_batch(n, item_job, batch, rules, stop_);
}

void asio::run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
    std::exception_ptr error;
    net::co_spawn(executor_, run_batch(n, item_job, batch, rules, nullptr),
                  [&error](std::exception_ptr thrown) { error = thrown; });
    io_.restart();
    io_.run();
    if (error) std::rethrow_exception(error);
}

}  // namespace crossover
