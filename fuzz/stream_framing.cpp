// Any bytes through a stream_reader in any pieces: readuntil, readline and readexactly give back what came,
// in its order and once.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtimes/event_loop/io/stream.hpp"
#include "runtimes/event_loop/loop/run.hpp"
#include "runtimes/event_loop/loop/sleep.hpp"

namespace {

using namespace crossover::asyncio;

constexpr std::size_t limit = 64;

coro<> feed(stream_reader reader, std::string_view bytes, std::size_t step) {
    while (!bytes.empty()) {
        reader.feed_data(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        co_await sleep(std::chrono::nanoseconds(0));  // the reader goes on between two pieces
    }
    reader.feed_eof();
}

// One reading after another, as `how` says; all that came out, in its order.
coro<std::string> read_all(stream_reader reader, std::uint8_t how) {
    std::string all;
    while (!reader.at_eof()) {
        std::string got;
        bool beyond = false;
        try {
            if (how % 3 == 0) {
                got = co_await reader.readuntil("\r\n");
                if (!got.ends_with("\r\n") || got.find("\r\n") != got.size() - 2) std::abort();
            } else if (how % 3 == 1) {
                got = co_await reader.readexactly(1 + how % 7);
                if (got.size() != 1U + how % 7) std::abort();
            } else {
                got = co_await reader.read(1 + how % 9);
                if (got.size() > 1U + how % 9) std::abort();
            }
        } catch (const incomplete_read_error& e) {
            got = e.partial();
        } catch (const limit_overrun_error&) {
            beyond = true;  // what lies beyond the limit is still there
        }
        if (beyond) got = co_await reader.read(1);
        all += got;
        how = static_cast<std::uint8_t>(how * 5 + 1);
    }
    co_return all;
}

coro<std::string> carry(std::string_view bytes, std::size_t step, std::uint8_t how) {
    const stream_reader reader(limit);
    const task<> feeding = create_task(feed(reader, bytes, step));
    std::string back = co_await read_all(reader, how);
    co_await feeding;
    co_return back;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    if (run(carry(bytes, 1 + data[0] % 32, data[1])) != bytes) std::abort();
    return 0;
}
