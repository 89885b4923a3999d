// event_loop_uring: the event loop on io_uring instead of epoll, which reads files, too.
#pragma once

#include <cstddef>
#include <span>

#include "runtimes/loop_model.hpp"
#include "runtimes/loop_verbs.hpp"
#include "runtimes/runtime.hpp"

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

    static constexpr std::string_view why_not(verb v) { return v == verb::offload ? one_thread : ""; }

    // Throws `refused` with the reason where the kernel allows no io_uring.
    explicit event_loop_uring(const options&);

    resources held() const { return {}; }
};

static_assert(runtime<event_loop_uring> && verbs_are_explained<event_loop_uring>());

}  // namespace crossover
