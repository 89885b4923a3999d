// sum_squares on Boost.Asio: a handler posted for each sum.
#include <boost/asio/post.hpp>

#include "bench/native/asio_types.hpp"
#include "bench/native/twin_cell_of.hpp"
#include "workloads/sum_squares.hpp"

namespace crossover::bench::native {
namespace {

class asio_sum_squares {
  public:
    asio_sum_squares(const sum_squares::params& p, const setting&) : n_(p.n) {}

    static resources held(std::size_t) { return {}; }
    static bool fits(const sum_squares::params&) { return true; }

    void run(std::span<sum_squares::output> out) {
        for (sum_squares::output& one : out)
            boost::asio::post(loop_.executor(), [&one, n = n_] { one.sum = kernels::sum_of_squares(n); });
        loop_.run();
    }

  private:
    std::uint64_t n_;
    asio_loop loop_;
};

const registered<sum_squares, asio_sum_squares> here("asio");

}  // namespace
}  // namespace crossover::bench::native
