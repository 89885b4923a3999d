// fibers: each item is a Boost.Fiber on one thread; what waits suspends its fiber.
#pragma once

#include <boost/fiber/fiber.hpp>
#include <memory>
#include <string>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/fibers/stacks.hpp"
#include "runtimes/fibers/verbs.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover {

// One scheduled task = one fiber, created with launch::dispatch: it runs at once on its own stack until it
// first waits, so that items which never wait leave one stack in use, however many there are.
class fibers {
  public:
    class context : public fiber::verbs {
      public:
        context(fibers& owner, const stop_state* stop) : verbs(owner.scheduler_, stop), owner_(owner) {}

        using semaphore = fiber::semaphore;
        template <class T>
        using channel = fiber::channel<T>;

        blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
            check(stop());
            owner_.run_batch(n, item_job, batch, rules, stop());
            return {};
        }

      private:
        fibers& owner_;
    };

    static constexpr std::string_view name = "fibers";
    static constexpr std::string_view family = "fibers";
    static constexpr engineering engineered = engineering::best;
    static constexpr std::string_view back_end = "eventpoll";

    static constexpr std::string_view missing_reason(verb v) {
        switch (v) {
            case verb::offload:
                return "has one thread only: see fibers_multi";
            case verb::read:
                return "a file cannot be waited for in epoll, and there is no second thread to read it";
            default:
                return "";
        }
    }

    explicit fibers(const options&) {}
    ~fibers();

    std::size_t guaranteed_concurrency() const { return waits_.guaranteed_concurrency; }
    const std::string& concurrency_limit() const { return waits_.limit; }
    resource_use resources() const { return {1, 1, fiber::stacks::stack_bytes}; }

    void run(std::size_t n, job<context> item_job, const void* batch, policy rules) {
        run_batch(n, item_job, batch, rules, nullptr);
    }

  private:
    // What the fibers of one run share. On the stack of the fiber that waits for them.
    struct running {
        running(fibers& r, job<context> j, const void* b, const policy& rules, const stop_state* outer)
            : owner(r), item_job(j), batch(b), state(rules, outer) {}

        fibers& owner;
        job<context> item_job;
        const void* batch;
        batch_state state;
        std::size_t alive = 0;
        std::size_t wake_at = unlimited;  // the waiter wants to be woken when so many are alive
        fiber::waiting* waiter = nullptr;
        bool told = false;  // those that wait have been told of the deadline

        void run_item(std::size_t i) noexcept;
        void wait_until_alive(std::size_t most);
        void stop();
    };

    void run_batch(std::size_t n, job<context> item_job, const void* batch, policy rules,
                   const stop_state* outer);

    const waits_allowed waits_ = waits_within_limits(cost_of_waiting{
        .bytes = fiber::stacks::touched_bytes(), .address_bytes = fiber::stacks::stack_bytes});
    fiber::stacks stacks_;
    fiber::scheduler scheduler_;
};

static_assert(runtime<fibers> && verbs_are_explained<fibers>());

}  // namespace crossover
