// Signals as callbacks: the handler writes to an eventfd that the loop watches.
#include "runtimes/event_loop/loop/signals.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "runtimes/event_loop/loop/watch.hpp"

namespace crossover::asyncio {
namespace {

constexpr int signals = 65;

// What the process's handler may touch: who is to be woken, and which signals have come.
std::array<std::atomic<int>, signals> wake_of{};  // a descriptor and 1; 0: nobody
std::array<std::atomic<bool>, signals> has_come{};
std::array<struct sigaction, signals> before{};  // what each did before there was a handler
std::mutex registration;

void restore(std::size_t signal) {
    ::sigaction(static_cast<int>(signal), &before[signal], nullptr);
    wake_of[signal].store(0);
    has_come[signal].store(false);
}

// A child of this process has no handler, lest it wake the loop of its parent.
void restore_all_in_children() {
    static const int registered = ::pthread_atfork([] { registration.lock(); }, [] { registration.unlock(); },
                                                   [] {
                                                       for (std::size_t s = 1; s < signals; ++s)
                                                           if (wake_of[s].load()) restore(s);
                                                       registration.unlock();
                                                   });
    static_cast<void>(registered);
}

void note(int signal) {
    const int saved = errno;
    const auto at = static_cast<std::size_t>(signal);
    has_come[at].store(true);
    if (const int wake = wake_of[at].load()) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(wake - 1, &one, sizeof one);
    }
    errno = saved;
}

class signal_handlers final : public loop::service {
  public:
    explicit signal_handlers(loop& l) : loop_(l), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd (see ulimit -n)");
        restore_all_in_children();
        add_reader(l, wake_, [this] { deliver(); });
    }
    ~signal_handlers() override {
        while (!all_.empty()) remove(all_.begin()->first);
        remove_reader(loop_, wake_);
        ::close(wake_);
    }

    void add(int signal, std::function<void()> f) {
        if (auto kept = loop::keep_context()) f = loop::with_context(std::move(kept), std::move(f));
        if (const auto at = all_.find(signal); at != all_.end()) {
            at->second = std::move(f);
            return;
        }
        const std::lock_guard guard(registration);
        const auto at = static_cast<std::size_t>(signal);
        if (wake_of[at].load())
            throw std::logic_error("signal " + std::to_string(signal) + " is handled by another event loop");
        wake_of[at].store(wake_ + 1);
        struct sigaction action {};
        action.sa_handler = &note;
        action.sa_flags = SA_RESTART;
        if (::sigaction(signal, &action, &before[at]) < 0) {
            wake_of[at].store(0);
            throw std::invalid_argument("signal " + std::to_string(signal) + " cannot be caught");
        }
        all_.emplace(signal, std::move(f));
    }

    bool remove(int signal) {
        const auto at = all_.find(signal);
        if (at == all_.end()) return false;
        const std::lock_guard guard(registration);
        if (wake_of[static_cast<std::size_t>(signal)].load() == wake_ + 1)
            restore(static_cast<std::size_t>(signal));
        all_.erase(at);
        return true;
    }

  private:
    void deliver() {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t n = ::read(wake_, &count, sizeof count);
        for (const auto& [signal, call] : all_)
            if (has_come[static_cast<std::size_t>(signal)].exchange(false)) loop_.call_soon_in(nullptr, call);
    }

    loop& loop_;
    int wake_;
    std::map<int, std::function<void()>> all_;
};

}  // namespace

void add_signal_handler(loop& l, int signal, std::function<void()> f) {
    if (signal <= 0 || signal >= signals || signal == SIGKILL || signal == SIGSTOP)
        throw std::invalid_argument("signal " + std::to_string(signal) + " cannot be caught");
    l.use<signal_handlers>().add(signal, std::move(f));
}

bool remove_signal_handler(loop& l, int signal) {
    signal_handlers* const handlers = l.find<signal_handlers>();
    return handlers && handlers->remove(signal);
}

}  // namespace crossover::asyncio
