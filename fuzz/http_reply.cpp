// Any bytes as an HTTP reply, whole and in pieces: the same outcome, no error but http_error, no byte read
// beyond the end.
#include "workloads/servers/http/http_reply.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

// What a fetching item would see of the replies on one connection.
struct seen {
    std::vector<std::uint64_t> replies;  // status, bytes, checksum, keep-alive of each
    bool error = false;
    bool operator==(const seen&) const = default;
};

// `step(rest)`: how many bytes come with the next read.
template <class Step>
seen read_all(std::span<const std::byte> bytes, Step step) {
    seen result;
    crossover::http_reply reply;
    auto note = [&] {
        result.replies.insert(result.replies.end(), {reply.status(), reply.body_bytes(),
                                                     reply.body_checksum(), reply.keep_alive()});
        reply.reset();
    };
    try {
        while (!bytes.empty()) {
            // A copy of its own, so that reading beyond it is noticed.
            const std::vector<std::byte> piece(
                bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(step(bytes.size())));
            const std::size_t taken = reply.feed(piece);
            if (taken > piece.size() || (taken < piece.size() && !reply.done())) std::abort();
            bytes = bytes.subspan(taken);
            if (reply.done()) note();
        }
        reply.finish();
        if (reply.done()) note();
    } catch (const crossover::http_error& e) {
        result.error = true;
        if (std::string(e.what()).find('\n') != std::string::npos) std::abort();
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t step = 1 + data[0] % 16;
    const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
    const seen whole = read_all(bytes, [](std::size_t rest) { return rest; });
    const seen pieces = read_all(bytes, [step](std::size_t rest) { return std::min(rest, step); });
    if (!(whole == pieces)) std::abort();
    return 0;
}
