// Runs each item in a process of its own, which is forked for it and ends with it.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtimes/blocking/channel.hpp"
#include "runtimes/blocking/semaphore.hpp"
#include "runtimes/blocking/verbs.hpp"
#include "runtimes/contract/batch.hpp"
#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/process_slots.hpp"
#include "runtimes/processes/stack.hpp"
#include "runtimes/processes/zygote.hpp"

namespace crossover::processes {

class forker;

class forked_context : public blocking::verbs {
  public:
    // `root`: the item of the outermost batch that this is part of.
    forked_context(forker& by, blocking::parker& own, const stop_state* stop, std::size_t root)
        : verbs(own, stop), by_(by), root_(root) {}

    using semaphore = blocking::shared_semaphore;
    template <class T>
    using channel = blocking::shared_channel<T>;

    // Forks a process for each item of the nested batch. While all slots are taken the caller runs an item
    // itself, as it could wait forever for those that wait for it.
    blocking::ready<> run(std::size_t n, job<forked_context> item_job, const void* batch, policy rules);

  private:
    forker& by_;
    std::size_t root_;
};

struct forked_batch {
    batch_state* state;
    std::size_t count;
    job<forked_context> call;
    const void* items;
    bool outermost;
    std::size_t root;
};

// What the caller, the zygote and the processes of items share.
struct pool_shared {
    struct running {
        explicit running(const policy& rules) : state(rules, &lost) {}
        stop_state lost{
            stop_state::by_signal{}};  // around the batch: a process has died, whatever the stop rule
        batch_state state;
    };
    std::optional<running> now;
    forked_batch batch{};
    pid_t zygote = 0;
    usage of_items;   // of those that have ended
    usage of_zygote;  // up to the end of the last batch
};

// Forks and reaps. Every process has its own copy.
class forker {
  public:
    forker(pool_shared& shared, process_slots& places, const std::array<stack, process_slots::count>& stacks)
        : shared_(shared), slots_(places), stacks_(stacks) {}

    // Returns when all items have ended or were never started.
    void run(const forked_batch& batch, blocking::parker& own);

    // The zygote's main loop.
    void serve(int socket);

  private:
    struct child {
        pid_t process;
        std::size_t process_slot;
    };
    using children = std::vector<child>;

    bool start(const forked_batch& batch, std::size_t item, std::size_t process_slot, children& alive);
    void run_item(const forked_batch& batch, std::size_t item, blocking::parker& own);
    static void begin(void* at);
    void reap_one(const forked_batch& batch, children& alive);
    void note_death(const forked_batch& batch, std::size_t item, int status);
    void note_refusal(const forked_batch& batch, std::size_t item, int error);
    void lose(const forked_batch& batch, std::size_t item, ended how, std::string_view text, int signal);
    pid_t await_end(const children& alive, int& status, rusage& used);
    std::string prepare();

    pool_shared& shared_;
    process_slots& slots_;
    const std::array<stack, process_slots::count>& stacks_;
};

// The caller's side.
class forked_items {
  public:
    // At most `guaranteed_concurrency` processes are alive. Throws `refused` when this one has threads, or
    // lacks memory, descriptors or processes.
    forked_items(const char* who, arena& memory, std::size_t guaranteed_concurrency);
    ~forked_items();
    forked_items(const forked_items&) = delete;
    forked_items& operator=(const forked_items&) = delete;

    void run(std::size_t n, job<forked_context> item_job, const void* batch, policy rules);
    usage used() const;

    static constexpr std::size_t stack_bytes = std::size_t{1} << 20;

  private:
    void open();
    void reap_all();

    const char* who_;
    arena& memory_;
    std::size_t at_once_;
    std::size_t mark_;  // of the arena, before this took its part
    std::size_t end_;   // and after
    pool_shared* shared_;
    process_slots* slots_;
    std::array<stack, process_slots::count> stacks_;
    std::unique_ptr<forker> forker_;
    std::unique_ptr<zygote> zygote_;
};

}  // namespace crossover::processes
