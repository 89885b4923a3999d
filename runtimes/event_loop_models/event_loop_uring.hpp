// event_loop_uring: the event loop on io_uring instead of epoll, which can also read files.
#pragma once

#include <cstddef>
#include <span>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/event_loop_models/loop_model.hpp"
#include "runtimes/event_loop_models/loop_verbs.hpp"

namespace crossover {

namespace looped {

class uring_verbs : public verbs {
  public:
    using verbs::verbs;

    // The kernel reads while the loop goes on. Opening the file is a plain call: looking up a path that is in
    // the kernel's cache costs less than handing it over would.
    asyncio::coro<std::size_t> read_file(const char* path, std::span<std::byte> into);
};

}  // namespace looped

// As event_loop, with another back end.
class event_loop_uring : public looped::model<looped::uring_verbs> {
  public:
    static constexpr std::string_view name = "event_loop_uring";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "io_uring";

    static constexpr std::string_view missing_reason(verb v) { return v == verb::offload ? one_thread : ""; }

    // Throws `refused` with the reason where the kernel allows no io_uring.
    explicit event_loop_uring(const options&);

    resource_use resources() const { return {}; }
};

static_assert(runtime<event_loop_uring> && verbs_are_explained<event_loop_uring>());

}  // namespace crossover
