// The contract of runtimes/contract/runtime.hpp as tests: compiled once per runtime, and equal for all of
// them.
#include RUNTIME_HEADER

#include "tests/contract/copying.hpp"
#include "tests/contract/errors.hpp"
#include "tests/contract/items.hpp"
#include "tests/contract/limits.hpp"
#include "tests/contract/nesting.hpp"
#include "tests/contract/offloading.hpp"
#include "tests/contract/orders.hpp"
#include "tests/contract/queues.hpp"
#include "tests/contract/refusals.hpp"
#include "tests/contract/stopping.hpp"
#include "tests/contract/streams.hpp"
#include "tests/contract/verbs.hpp"
#include "tests/contract/waiting.hpp"
#include "tests/contract/workers.hpp"
