// To be preloaded: holds a thread up for a random time now and then, when it asks for the time or waits in
// epoll. A test that depends on two short times fails under it, as it would on a loaded machine.
//
// HOLD_UP_SHARE: of the calls that are held up, 0.1 unless set. HOLD_UP_MS: the longest time, 10 unless set.
#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

double setting(const char* name, double otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtod(text, nullptr) : otherwise;
}

long time_of_kernel(clockid_t clock, timespec* time) { return ::syscall(SYS_clock_gettime, clock, time); }

// Uniform in [0, 1): xorshift, since nothing that allocates or asks for the time may be called here.
double random_share() {
    thread_local std::uint64_t state = 0;
    if (state == 0) {
        timespec now{};
        time_of_kernel(CLOCK_MONOTONIC, &now);
        state =
            (static_cast<std::uint64_t>(now.tv_nsec) << 32U ^ static_cast<std::uint64_t>(::gettid())) | 1U;
    }
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    return static_cast<double>(state >> 11U) * 0x1p-53;
}

void perhaps_hold_up() {
    static const double share = setting("HOLD_UP_SHARE", 0.1), longest_ms = setting("HOLD_UP_MS", 10);
    if (random_share() >= share) return;
    const auto ns = static_cast<std::int64_t>(random_share() * longest_ms * 1e6);
    const timespec time{ns / 1'000'000'000, ns % 1'000'000'000};
    ::syscall(SYS_nanosleep, &time, nullptr);
}

template <class Function>
Function* original(Function*, const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) {
    if (clock == CLOCK_MONOTONIC) perhaps_hold_up();
    return static_cast<int>(time_of_kernel(clock, time));
}

int epoll_wait(int epoll, epoll_event* events, int room, int timeout_ms) {
    static auto* const real = original(&::epoll_wait, "epoll_wait");
    perhaps_hold_up();
    return real(epoll, events, room, timeout_ms);
}

int epoll_pwait2(int epoll, epoll_event* events, int room, const timespec* timeout, const sigset_t* mask) {
    static auto* const real = original(&::epoll_pwait2, "epoll_pwait2");
    perhaps_hold_up();
    return real(epoll, events, room, timeout, mask);
}
}
