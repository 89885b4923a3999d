// Why threads have no native twin of a tree.
#include "bench/native/no_twin.hpp"

namespace crossover::bench::native {
namespace {

const no_twin<skynet> here(
    "thread_pool", "std::thread has no tasks that fork and join: one would have to write a scheduler");

}  // namespace
}  // namespace crossover::bench::native
