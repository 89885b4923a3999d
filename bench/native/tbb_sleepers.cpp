// Why oneTBB has no native twin of what waits.
#include "bench/native/no_twin.hpp"

namespace crossover::bench::native {
namespace {

const no_twin<sleepers> here("tbb_tasks",
                             "oneTBB has no timers and no sockets: a task that waits blocks its thread");

}  // namespace
}  // namespace crossover::bench::native
