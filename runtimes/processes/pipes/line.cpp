// Blocking and non-blocking reads and writes that end with a whole message.
#include "runtimes/processes/pipes/line.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace crossover::pipes {

namespace {
// A message of an ordinary item comes with one call.
constexpr std::size_t least_room = std::size_t{16} << 10;
}  // namespace

void line::begin() {
    out_.resize(sizeof(size));  // filled in when all is there
    sent_ = 0;
}

void line::add(std::span<const std::byte> bytes) {
    out_.resize(out_.size() + bytes.size());
    std::ranges::copy(bytes, out_.end() - static_cast<std::ptrdiff_t>(bytes.size()));
}

bool line::send(bool wait) {
    const size bytes = out_.size();
    std::memcpy(out_.data(), &bytes, sizeof bytes);
    return flush(wait);
}

bool line::flush(bool wait) {
    while (unsent() > 0) {
        const ssize_t n =
            ::send(socket_, out_.data() + sent_, unsent(), MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
        if (n >= 0)
            sent_ += static_cast<std::size_t>(n);
        else if (errno == EAGAIN)
            return true;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

// The size of the message that is coming in, or what tells it.
std::size_t line::expected() const {
    size bytes = sizeof bytes;
    if (got_ >= sizeof bytes) std::memcpy(&bytes, in_.data(), sizeof bytes);
    return bytes;
}

line::state line::receive(bool wait) {
    if (taken_ > 0) got_ = taken_ = 0;
    while (got_ < sizeof(size) || got_ < expected()) {
        in_.resize(std::max({in_.size(), expected(), least_room}));
        const ssize_t n = ::recv(socket_, in_.data() + got_, in_.size() - got_, wait ? 0 : MSG_DONTWAIT);
        if (n > 0)
            got_ += static_cast<std::size_t>(n);
        else if (n == 0)
            return state::gone;
        else if (errno == EAGAIN)
            return state::incomplete;
        else if (errno != EINTR)
            return state::gone;
    }
    taken_ = sizeof(size);
    return state::complete;
}

void line::take(std::span<std::byte> into) {
    std::ranges::copy(rest().first(into.size()), into.begin());
    taken_ += into.size();
}

void line::reset() {
    out_.clear();
    sent_ = got_ = taken_ = 0;
}

}  // namespace crossover::pipes
