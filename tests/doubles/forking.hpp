// The smallest runtime with processes of its own: each run forks one worker, which does all items.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/serial.hpp"
#include "runtimes/system/usage.hpp"

namespace crossover {

class forking {
  public:
    using context = serial::context;

    static constexpr std::string_view name = "forking";
    static constexpr std::string_view family = "processes";
    static constexpr engineering engineered = engineering::textbook;
    static constexpr std::string_view back_end = "";
    static constexpr std::string_view missing_reason(verb v) { return serial::missing_reason(v); }

    explicit forking(const options& o) : honest_(o), used_(o.memory->make<usage>()) {}

    std::size_t guaranteed_concurrency() const { return 1; }
    resource_use resources() const { return {1, 2, 0}; }
    usage workers_used() const { return *used_; }
    std::span<const int> worker_ids() const { return {}; }

    void run(std::size_t n, job<context> each, const void* batch, policy rules) {
        int child = ::fork();
        if (child == 0) {
            honest_.run(n, each, batch, rules);
            *used_ = *used_ + own_usage();
            ::_exit(0);
        }
        ::waitpid(child, nullptr, 0);
    }

  private:
    serial honest_;
    usage* used_;
};

static_assert(runtime<forking> && has_workers<forking>);

}  // namespace crossover
