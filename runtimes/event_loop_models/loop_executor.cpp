// Calls and reads of files in the threads of an executor.
#include "runtimes/event_loop_models/loop_executor.hpp"

#include <system_error>

#include "runtimes/system/files.hpp"
#include "runtimes/system/limits/limits.hpp"

namespace crossover::looped {

namespace {

template <class Call>
auto in_executor(asyncio::thread_executor& e, Call call) {
    try {
        return asyncio::run_in_executor(e, call);
    } catch (const std::system_error& error) {
        refuse_worker(error.code().value(), "starting a thread of the executor");
    }
}

bool wanted(const stop_state* stop) { return !stop || !stop->over(); }

}  // namespace

asyncio::coro<void> executor_verbs::offload(void (*function)(void*), void* argument) {
    check(stop());
    auto call = in_executor(executor_, [stop = stop(), function, argument] {
        if (wanted(stop)) function(argument);
    });
    auto made = to_its_end(std::move(call));
    co_await std::move(made);
    check(stop());
}

asyncio::coro<std::size_t> executor_verbs::read_file(const char* path, std::span<std::byte> into) {
    check(stop());
    auto call = in_executor(executor_, [stop = stop(), path, into]() -> std::size_t {
        return wanted(stop) ? files::read(path, into) : std::size_t{0};
    });
    auto made = to_its_end(std::move(call));
    const std::size_t bytes = co_await std::move(made);
    check(stop());
    co_return bytes;
}

}  // namespace crossover::looped
