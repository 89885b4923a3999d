// The context of items on a pool of threads or processes.
#pragma once

#include <cstddef>

#include "runtimes/blocking/channel.hpp"
#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/system/futex.hpp"

namespace crossover::pool {

template <futex_scope Scope>
class worker;

template <futex_scope Scope>
class context : public blocking::verbs {
  public:
    using semaphore = blocking::basic_semaphore<Scope>;
    template <class T>
    using channel = blocking::basic_channel<T, Scope>;

    context(worker<Scope>& on, blocking::parker& own, const stop_state* stop) : verbs(own, stop), on_(on) {}

    // Runs the batch together with whoever is idle; meanwhile this worker runs nothing but items of this
    // batch and of batches below it.
    blocking::ready<> run(std::size_t n, job<context> item_job, const void* batch, policy rules);

  private:
    worker<Scope>& on_;
};

}  // namespace crossover::pool
