// Making the ring, and reading files through it.
#include "runtimes/event_loop_models/event_loop_uring.hpp"

#include <system_error>

#include "runtimes/event_loop/io/file.hpp"
#include "runtimes/event_loop/loop/io_uring.hpp"
#include "runtimes/system/files.hpp"

namespace crossover {

namespace {

asyncio::loop_options on_io_uring() {
    asyncio::loop_options with;
    with.back_end = &asyncio::make_io_uring_reactor;
    return with;
}

}  // namespace

event_loop_uring::event_loop_uring(const options&) try : model(context(), on_io_uring()) {
} catch (const std::system_error& e) {
    throw refused(e.what());
}

asyncio::coro<std::size_t> looped::uring_verbs::read_file(const char* path, std::span<std::byte> into) {
    check(stop());
    const asyncio::file from(files::open(path));
    std::size_t done = 0;
    try {
        while (done < into.size()) {
            auto read = from.read_at(into.subspan(done), done);
            const std::size_t n = co_await std::move(read);
            if (n == 0) break;
            done += n;
        }
    } catch (const asyncio::cancelled_error&) {
        throw cancelled();
    } catch (const std::system_error& e) {
        throw std::system_error(e.code(), path);
    }
    co_return done;
}

}  // namespace crossover
