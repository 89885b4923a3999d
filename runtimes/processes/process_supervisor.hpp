// Starts, kills and reaps the workers of a process pool, in a zygote.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "runtimes/contract/runtime.hpp"
#include "runtimes/processes/stack.hpp"
#include "runtimes/processes/zygote.hpp"

namespace crossover::processes {

class process_supervisor {
  public:
    // Runs in worker `id`, on stack `id`; never returns.
    using worker_main = void (*)(void* shared, std::size_t id);

    enum class news { started, refused, died };

    struct report {
        news what;
        std::size_t id;
        pid_t process;  // of what started or died
        int status;     // died: as from wait(); refused: errno
        usage used;     // died: all it has used in its life
    };

    // Throws as zygote does.
    process_supervisor(const char* who, std::vector<stack> stacks, worker_main main, void* shared);

    // Each is answered by a report. After the zygote's death they do nothing.
    void start(std::size_t id);
    void kill(std::size_t id);

    // The next report, if any. Blocks for it when `wait`. Empty forever once the zygote is dead: see lost().
    std::optional<report> next(bool wait);
    bool lost() const { return lost_; }

    int descriptor() const { return zygote_.socket(); }

  private:
    static void serve(int socket, void* self);

    std::vector<stack> stacks_;
    worker_main main_;
    void* shared_;
    bool lost_ = false;
    zygote zygote_;
};

}  // namespace crossover::processes
