// event_loop_uring: the event loop on io_uring instead of epoll, which reads files, too.
#pragma once

#include "runtimes/event_loop/file.hpp"
#include "runtimes/event_loop/io_uring.hpp"
#include "runtimes/loop_batch.hpp"
#include "runtimes/loop_verbs.hpp"
#include "runtimes/runtime.hpp"

namespace crossover {

// As event_loop, with another back end.
class event_loop_uring {
  public:
    class context : public looped::verbs {
      public:
        context() : verbs(nullptr) {}
        context(const context&, const stop_state* stop) : verbs(stop) {}

        inline looped::batch<context> run(std::size_t n, job<context> each, const void* batch, policy rules);
        // The kernel reads while the loop goes on. Opening the file is a plain call: looking up a path that
        // is in the kernel's cache costs less than handing it over would.
        asyncio::coro<std::size_t> read_file(const char* path, std::span<std::byte> into);
    };

    static constexpr std::string_view name = "event_loop_uring";
    static constexpr std::string_view family = "event_loop";
    static constexpr std::string_view back_end = "io_uring";

    static constexpr std::string_view why_not(verb v) {
        return v == verb::offload ? "has one thread only: see event_loop_threads and event_loop_processes"
                                  : "";
    }

    // Throws `refused` with the reason where the kernel allows no io_uring.
    explicit event_loop_uring(const options&);

    // A waiting task takes a few hundred bytes: memory is the limit, here of 4 GB.
    std::size_t at_once() const { return 10'000'000; }
    resources held() const { return {}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        loop_.run_until_complete(looped::whole_batch(n, each, batch, rules, context()));
    }

  private:
    asyncio::loop loop_;
};

looped::batch<event_loop_uring::context> event_loop_uring::context::run(std::size_t n, job<context> each,
                                                                        const void* batch, policy rules) {
    check(stop());
    return looped::batch<context>(n, each, batch, rules, *this);
}

static_assert(runtime<event_loop_uring> && verbs_are_explained<event_loop_uring>());

}  // namespace crossover
