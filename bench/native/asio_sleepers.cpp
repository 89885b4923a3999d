// sleepers on Boost.Asio: a coroutine with a timer for each.
#include <boost/asio/basic_waitable_timer.hpp>
#include <chrono>

#include "bench/native/asio_types.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sleepers.hpp"

namespace crossover::bench::native {
namespace {

using timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, asio_executor>;

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

    static resources held(std::size_t) { return {}; }
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

const registered<sleepers, asio_sleepers> here("asio");

}  // namespace
}  // namespace crossover::bench::native
