// Where a server listens: an IPv4 address and a port, small and trivially copyable so that it can lie in the
// arena.
#pragma once

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace crossover {

// Both members are in host byte order.
struct endpoint {
    std::uint32_t address = 0;
    std::uint16_t port = 0;

    bool operator==(const endpoint&) const = default;
};

inline constexpr std::uint32_t loopback_address = 0x7f000001;

// "127.0.0.1:8080", as it stands in a Host field.
inline std::string to_string(const endpoint& e) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += std::to_string((e.address >> shift) & 255U);
        text += shift > 0 ? '.' : ':';
    }
    return text + std::to_string(e.port);
}

// "http://127.0.0.1:8080", as parse_endpoint reads it.
inline std::string to_url(const endpoint& e) { return "http://" + to_string(e); }

namespace detail {

// Takes a number of at most `largest` from the front of `text`; false if there is none.
inline bool take_number(std::string_view& text, std::uint32_t largest, std::uint32_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number > largest) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

inline bool take_address(std::string_view& text, std::uint32_t& address) {
    address = 0;
    for (int part = 0; part < 4; ++part) {
        if (part > 0) {
            if (!text.starts_with('.')) return false;
            text.remove_prefix(1);
        }
        std::uint32_t number = 0;
        if (!take_number(text, 255, number)) return false;
        address = address << 8 | number;
    }
    return true;
}

}  // namespace detail

// Reads http://ADDRESS:PORT/ (the last slash may be missing; port 80 if none is given).
// Throws std::invalid_argument, whose text is one line that names the fault and the remedy.
inline endpoint parse_endpoint(std::string_view url) {
    const auto refuse = [url](const char* why) {
        return std::invalid_argument("'" + std::string(url) + "': " + why +
                                     "; write it as http://127.0.0.1:8080/");
    };
    std::string_view rest = url;
    constexpr std::string_view scheme = "http://";
    if (rest.starts_with("https://")) throw refuse("https is not supported");
    if (!rest.starts_with(scheme)) throw refuse("does not begin with http://");
    rest.remove_prefix(scheme.size());

    endpoint e;
    if (!detail::take_address(rest, e.address)) throw refuse("the host is not a dotted IPv4 address");
    std::uint32_t port = 80;
    if (rest.starts_with(':')) {
        rest.remove_prefix(1);
        if (!detail::take_number(rest, 65535, port) || port == 0)
            throw refuse("the port is not a number from 1 to 65535");
    }
    if (rest == "/") rest.remove_prefix(1);
    if (!rest.empty()) throw refuse("something follows the port");
    e.port = static_cast<std::uint16_t>(port);
    return e;
}

}  // namespace crossover
