// Functions called in other processes: one task per worker looks after it.
#include "runtimes/event_loop/executors/process_executor.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "runtimes/event_loop/executors/worker_process.hpp"
#include "runtimes/event_loop/io/socket.hpp"
#include "runtimes/event_loop/sync/queue.hpp"
#include "runtimes/event_loop/tasks/task.hpp"

namespace crossover::asyncio {
namespace {

// The caller's side of a worker. While the worker is idle its death is noticed by itself.
class worker {
  public:
    using died_function = void (*)(void* owner, worker& w);

    worker(const worker_process& w, worker_supervisor& from, void* owner, died_function died)
        : channel_(w.socket), process_(w.process), id_(w.id), supervisor_(from), owner_(owner), died_(died) {
        channel_.watch();
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker() {
        rest_over();
        channel_.close();
        reap();
        if (process_ >= 0) ::close(process_);
    }

    socket& channel() noexcept { return channel_; }
    void kill() noexcept {
        if (!supervisor_.of_this_process()) return;
        if (process_ < 0 || ::syscall(SYS_pidfd_send_signal, process_, SIGKILL, nullptr, 0) < 0) reap();
    }
    // How it ended, as waitpid tells it; ends it if it lives.
    int reap() noexcept {
        if (id_ != 0) status_ = supervisor_.reap(std::exchange(id_, 0));
        return status_;
    }

    void rest() {
        reactor& r = get_running_loop().io();
        if (!watch_) watch_ = std::make_shared<watch>();
        do {
            std::byte byte;
            if (r.recv(channel_.fd(), std::span(&byte, 1)) != -EAGAIN) return died_(owner_, *this);
        } while (r.wait(channel_.fd(), direction::readable, *watch_));
        watch_->resting = this;
    }
    void rest_over() noexcept {
        if (!watch_ || !std::exchange(watch_->resting, nullptr)) return;
        loop& l = get_running_loop();
        if (l.io().cancel(channel_.fd(), direction::readable, *watch_) || l.is_closed()) return;
        // It stands in the ready queue, and may outlive this.
        l.call_soon([kept = std::move(watch_)] {});
        watch_ = nullptr;
    }

  private:
    struct watch : node {
        watch() : node(&on_readable) {}
        static void on_readable(node& n) {
            if (worker* const w = std::exchange(static_cast<watch&>(n).resting, nullptr)) w->rest();
        }
        worker* resting = nullptr;
    };

    socket channel_;
    int process_;
    pid_t id_;
    int status_ = 0;
    worker_supervisor& supervisor_;
    void* owner_;
    died_function died_;
    std::shared_ptr<watch> watch_;
};

coro<bool> receive(socket& from, void* to, std::size_t bytes) {
    for (auto* at = static_cast<std::byte*>(to); bytes > 0;) {
        const std::size_t n = co_await sock_recv(from, std::span(at, bytes));
        if (n == 0) co_return false;
        at += n;
        bytes -= n;
    }
    co_return true;
}

// Sends the request and receives the reply; false if the worker died.
coro<bool> converse(worker& w, const std::string& request, worker_message& header, std::string& reply) {
    try {
        header.what = worker_message::kind::call;
        header.bytes = request.size();
        co_await sock_sendall(w.channel(), std::as_bytes(std::span(&header, 1)));
        co_await sock_sendall(w.channel(), std::as_bytes(std::span(request)));
        if (!co_await receive(w.channel(), &header, sizeof header)) co_return false;
        reply.resize(header.bytes);
        co_return co_await receive(w.channel(), reply.data(), reply.size());
    } catch (const std::system_error&) {
        co_return false;
    }
}

std::string manner_of(int status) {
    if (WIFSIGNALED(status)) {
        const int signal = WTERMSIG(status);
        return "by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
    }
    return "with exit status " + std::to_string(WEXITSTATUS(status));
}

std::exception_ptr death_in_call(int status) {
    return std::make_exception_ptr(broken_process_pool(
        "a worker process died during this call, " + manner_of(status) + ": the pool takes no more calls",
        WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}

std::exception_ptr death_of_another(int status) {
    return std::make_exception_ptr(broken_process_pool("another worker process died, " + manner_of(status) +
                                                       ": the pool takes no more calls"));
}

}  // namespace

struct process_executor::state : std::enable_shared_from_this<state> {
    state(loop& l, std::size_t most, const process_executor_options& o)
        : home(l),
          most_workers(most),
          options(o),
          supervisor(o.supervisor ? o.supervisor : std::make_shared<worker_supervisor>()) {}

    coro<void> look_after_one();
    coro<void> make_call(worker& w, std::unique_ptr<pending_call> call);
    void break_down(const std::exception_ptr& why);
    void end();

    loop& home;
    const std::size_t most_workers;
    const process_executor_options options;
    const std::shared_ptr<worker_supervisor> supervisor;
    queue<std::unique_ptr<pending_call>> calls;
    std::vector<worker*> alive;
    std::vector<task<void>> carers;
    std::size_t idle = 0;
    bool broken = false;
    std::exception_ptr broken_by;  // as all but the call that was being made when it broke are told
    bool closed = false;
};

// Calls that wait, or are being made by other workers, fail with `why`.
void process_executor::state::break_down(const std::exception_ptr& why) {
    if (std::exchange(broken, true)) return;
    broken_by = why;
    for (worker* w : alive) w->kill();
    while (!calls.empty()) calls.get_nowait()->fail(why);
    calls.shutdown();
}

coro<void> process_executor::state::make_call(worker& w, std::unique_ptr<pending_call> call) {
    worker_message header;
    std::string reply;
    bool answered = false;
    std::exception_ptr cancelled;
    try {
        answered = co_await converse(w, call->request, header, reply);
    } catch (const cancelled_error&) {
        cancelled = std::current_exception();
    }
    if (cancelled) {
        w.kill();
        call->cancel();
        std::rethrow_exception(cancelled);
    }
    if (!answered && broken) {
        call->fail(broken_by);
    } else if (!answered) {
        const int status = w.reap();
        break_down(death_of_another(status));
        call->fail(death_in_call(status));
    } else if (header.what == worker_message::kind::result) {
        call->succeed(reply);
    } else {
        std::string_view text = reply;
        const std::string type = codec<std::string>::read(text);
        const std::string what = codec<std::string>::read(text);
        call->fail(std::make_exception_ptr(remote_error(type, what)));
    }
}

coro<void> process_executor::state::look_after_one() {
    const auto self = shared_from_this();
    while (!broken && !(closed && calls.empty())) {
        worker_process started;
        try {
            started = supervisor->start();
        } catch (const std::system_error& e) {
            // Those that there are go on.
            if (alive.empty()) break_down(std::make_exception_ptr(no_worker(e)));
            break;
        }
        worker w(started, *supervisor, this, [](void* s, worker& dead) {
            static_cast<state*>(s)->break_down(death_of_another(dead.reap()));
        });
        struct listed {
            listed(std::vector<worker*>& l, worker& x) : list(l), who(x) { list.push_back(&who); }
            ~listed() { std::erase(list, &who); }
            std::vector<worker*>& list;
            worker& who;
        } const in_list(alive, w);
        struct counted {
            explicit counted(std::size_t& n) : count(n) { ++count; }
            ~counted() { --count; }
            std::size_t& count;
        };
        for (std::size_t n = 0;
             !broken && (options.max_tasks_per_child == 0 || n < options.max_tasks_per_child); ++n) {
            std::unique_ptr<pending_call> call;
            {
                const counted waiting(idle);
                w.rest();
                try {
                    call = co_await calls.get();
                } catch (const queue_shut_down&) {
                }
                w.rest_over();
            }
            if (!call) co_return;
            if (!call->wanted()) continue;
            co_await make_call(w, std::move(call));
        }
    }
}

void process_executor::state::end() {
    closed = true;
    for (worker* w : alive) w->kill();
    if (!loop::alive(&home) || home.is_closed()) return;
    while (!calls.empty()) calls.get_nowait()->cancel();
    for (const auto& t : carers) t.cancel();
}

std::size_t process_executor::default_size() {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return static_cast<std::size_t>(CPU_COUNT(&allowed));
    return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

process_executor::process_executor(std::size_t most_workers, const process_executor_options& options)
    : state_(std::make_shared<state>(get_running_loop(), std::max<std::size_t>(most_workers, 1), options)) {}

process_executor::~process_executor() { state_->end(); }

std::size_t process_executor::workers() const noexcept { return state_->alive.size(); }
bool process_executor::broken() const noexcept { return state_->broken; }

void process_executor::submit(std::unique_ptr<pending_call> call) {
    state& s = *state_;
    if (!s.supervisor->of_this_process())
        throw std::runtime_error(
            "the executor's workers are the parent's of a fork(): make one in the child");
    if (s.broken)
        throw broken_process_pool(
            "a worker process died earlier: the pool takes no more calls, make another");
    if (s.closed) throw std::runtime_error("the executor is shut down: it takes no more calls");
    s.calls.put_nowait(std::move(call));
    if (s.calls.size() > s.idle && s.carers.size() < s.most_workers)
        s.carers.push_back(s.home.create_task(s.look_after_one(), "process_executor worker"));
}

coro<void> process_executor::shutdown(bool cancel_queued) {
    const auto s = state_;
    s->closed = true;
    while (cancel_queued && !s->calls.empty()) s->calls.get_nowait()->cancel();
    if (!s->broken) s->calls.shutdown();
    if (!s->supervisor->of_this_process()) co_return;
    for (const auto& t : s->carers) co_await until_done(t);
}

}  // namespace crossover::asyncio
