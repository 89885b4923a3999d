// Why Boost.Asio has no native twin of a tree.
#include "bench/native/no_twin.hpp"

namespace crossover::bench::native {
namespace {

const no_twin<skynet> here("asio", "Boost.Asio 1.74 awaits one coroutine at a time, and joins no others");

}  // namespace
}  // namespace crossover::bench::native
