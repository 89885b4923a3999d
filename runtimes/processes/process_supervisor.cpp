// The zygote's side: waits for requests and for deaths, and reports both to the parent.
#include "runtimes/processes/process_supervisor.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "runtimes/system/usage.hpp"

namespace crossover::processes {

namespace {

struct order {
    enum class verb { start, kill } what;
    std::size_t id;
};

class keeper {
  public:
    keeper(int socket, const std::vector<stack>& stacks, process_supervisor::worker_main main, void* shared)
        : socket_(socket), stacks_(stacks), main_(main), shared_(shared), processes_(stacks.size(), -1) {
        sigset_t deaths;
        ::sigemptyset(&deaths);
        ::sigaddset(&deaths, SIGCHLD);
        std::signal(SIGCHLD, [](int) {});  // only ends the wait
        ::sigprocmask(SIG_BLOCK, &deaths, &unblocked_);
        waiting_ = unblocked_;
        ::sigdelset(&waiting_, SIGCHLD);
    }

    void serve() {
        for (;;) {
            pollfd orders{socket_, POLLIN, 0};
            const int ready = ::ppoll(&orders, 1, nullptr, &waiting_);
            const int error = ready < 0 ? errno : 0;
            reap();
            if (error != 0 && error != EINTR) {  // withheld by a filter: no order would ever be seen
                tell({process_supervisor::news::refused, 0, -1, error, {}});
                return end_all();
            }
            if (ready > 0 && !obey()) return end_all();
        }
    }

  private:
    struct spawn {
        keeper* self;
        std::size_t id;
    };

    // False when the parent is gone.
    bool obey() {
        order o{};
        int got = receive(socket_, &o, sizeof o, false);
        if (got < 0) return false;
        if (got == 0) return true;
        if (o.what == order::verb::kill) {
            if (processes_[o.id] > 0) ::kill(processes_[o.id], SIGKILL);
            return true;
        }
        spawn b{this, o.id};  // copied by the fork
        pid_t process = start_process(stacks_[o.id], begin, &b);
        if (process < 0) return tell({process_supervisor::news::refused, o.id, -1, errno, {}});
        processes_[o.id] = process;
        return tell({process_supervisor::news::started, o.id, process, 0, {}});
    }

    static void begin(void* at) {
        spawn b = *static_cast<spawn*>(at);
        keeper& k = *b.self;
        ::close(k.socket_);
        std::signal(SIGCHLD, SIG_DFL);
        ::sigprocmask(SIG_SETMASK, &k.unblocked_, nullptr);
        k.main_(k.shared_, b.id);
    }

    void reap() {
        for (;;) {
            int status = 0;
            rusage used{};
            pid_t dead = ::wait4(-1, &status, WNOHANG, &used);
            if (dead <= 0) return;
            auto at = std::find(processes_.begin(), processes_.end(), dead);
            if (at == processes_.end()) continue;
            *at = -1;
            auto id = static_cast<std::size_t>(at - processes_.begin());
            tell({process_supervisor::news::died, id, dead, status, usage_of(used)});
        }
    }

    void end_all() {
        for (pid_t p : processes_)
            if (p > 0) ::kill(p, SIGKILL);
        while (::wait4(-1, nullptr, 0, nullptr) > 0 || errno == EINTR) {
        }
    }

    bool tell(const process_supervisor::report& r) { return send(socket_, &r, sizeof r); }

    int socket_;
    sigset_t unblocked_{};
    sigset_t waiting_{};
    const std::vector<stack>& stacks_;
    process_supervisor::worker_main main_;
    void* shared_;
    std::vector<pid_t> processes_;
};

}  // namespace

process_supervisor::process_supervisor(const char* who, std::vector<stack> stacks, worker_main main,
                                       void* shared)
    : stacks_(std::move(stacks)), main_(main), shared_(shared), zygote_(who, serve, this) {}

void process_supervisor::serve(int socket, void* self) {
    const process_supervisor& n = *static_cast<process_supervisor*>(self);
    keeper(socket, n.stacks_, n.main_, n.shared_).serve();
}

void process_supervisor::start(std::size_t id) {
    order o{order::verb::start, id};
    if (!send(descriptor(), &o, sizeof o)) lost_ = true;
}

void process_supervisor::kill(std::size_t id) {
    order o{order::verb::kill, id};
    if (!send(descriptor(), &o, sizeof o)) lost_ = true;
}

std::optional<process_supervisor::report> process_supervisor::next(bool wait) {
    report r{};
    int got = receive(descriptor(), &r, sizeof r, wait);  // what it told before it died is still there
    if (got > 0) return r;
    if (got < 0) lost_ = true;
    return std::nullopt;
}

}  // namespace crossover::processes
