// Signal handlers that write prepared texts: nothing else is safe in a handler.
#include "bench/google/crash_reporter.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "bench/serve/outcome.hpp"

namespace crossover::bench {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::array<int, 0> fatal{};  // the sanitizer's own report says more
#else
constexpr std::array fatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#endif

struct text_for {
    int signal;
    std::string to_stdout;
    std::string to_file;
};

// Plain data for the handler.
pid_t owner = 0;
volatile sig_atomic_t armed = 0;
std::string path;
std::array<text_for, fatal.size() + 1> texts;

void write_all(int fd, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        ssize_t n = ::write(fd, text.data() + done, text.size() - done);
        if (n <= 0) return;
        done += static_cast<std::size_t>(n);
    }
}

void on_signal(int signal) {
    if (!armed || ::getpid() != owner) {
        ::signal(signal, SIG_DFL);
        ::raise(signal);
        return;
    }
    for (const text_for& text : texts) {
        if (text.signal != signal) continue;
        write_all(STDOUT_FILENO, text.to_stdout);
        if (!path.empty())
            if (int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC); fd >= 0)
                write_all(fd, text.to_file);
    }
    ::_exit(exits::cell_failed);
}

void handle(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_ONSTACK;  // SIGSEGV may be the stack's overflow
    ::sigaction(signal, &action, nullptr);
}

void set_alarm(std::chrono::nanoseconds in) {
    auto us = std::chrono::ceil<std::chrono::microseconds>(in).count();
    itimerval timer{};
    timer.it_value.tv_sec = us / 1'000'000;
    timer.it_value.tv_usec = us % 1'000'000;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
}

alignas(16) std::array<std::byte, 64 << 10> handler_stack;

}  // namespace

crash_reporter::crash_reporter(closing for_stdout, closing for_file, std::string file)
    : for_stdout_(std::move(for_stdout)), for_file_(std::move(for_file)), file_(std::move(file)) {
    owner = ::getpid();
    path = file_;
    stack_t stack{};
    stack.ss_sp = handler_stack.data();
    stack.ss_size = handler_stack.size();
    ::sigaltstack(&stack, nullptr);
    handle(SIGALRM, &on_signal);
    for (int signal : fatal) handle(signal, &on_signal);
}

crash_reporter::~crash_reporter() {
    handle(SIGALRM, SIG_DFL);
    for (int signal : fatal) handle(signal, SIG_DFL);
}

void crash_reporter::prepare(const std::string& name, std::chrono::nanoseconds limit) const {
    auto prepared = [&](int signal, const std::string& message) {
        return text_for{signal, for_stdout_(name, message), file_.empty() ? "" : for_file_(name, message)};
    };
    auto seconds = std::chrono::ceil<std::chrono::seconds>(limit).count();
    texts[0] = prepared(SIGALRM, std::string(name_of(outcome::timed_out)) + ": no end within " +
                                     std::to_string(seconds) + " s (see --timeout)");
    for (std::size_t i = 0; i < fatal.size(); ++i)
        texts[i + 1] = prepared(fatal[i], std::string(name_of(outcome::crashed)) + ": signal " +
                                              std::to_string(fatal[i]) + " (" + ::strsignal(fatal[i]) + ")");
}

crash_reporter::watch::watch(crash_reporter& crashes, const std::string& name,
                             std::chrono::nanoseconds limit) {
    crashes.prepare(name, limit);
    armed = 1;
    set_alarm(limit);
}

crash_reporter::watch::~watch() {
    set_alarm(std::chrono::nanoseconds(0));
    armed = 0;
}

}  // namespace crossover::bench
