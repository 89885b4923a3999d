// Serialises values to bytes, for calls in another process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace crossover::asyncio {

// Bytes that a codec does not understand, or values that it cannot write.
class codec_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Specialise it for your own types: write() appends, read() takes from the front. Both may throw, which fails
// that one call. Pointers have no meaning in another process, so types that hold them need their own codec.
template <class T>
struct codec;

inline std::string_view take_bytes(std::string_view& from, std::size_t n) {
    if (from.size() < n) throw codec_error("a value for another process is cut short");
    const std::string_view taken = from.substr(0, n);
    from.remove_prefix(n);
    return taken;
}

template <class T>
requires(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> &&
         !std::is_reference_v<T>) struct codec<T> {
    static void write(std::string& to, const T& value) {
        to.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    static T read(std::string_view& from) {
        const std::string_view bytes = take_bytes(from, sizeof(T));
        alignas(T) std::byte raw[sizeof(T)];
        std::memcpy(raw, bytes.data(), sizeof(T));
        return *std::launder(reinterpret_cast<T*>(raw));
    }
};

template <>
struct codec<std::string> {
    static void write(std::string& to, const std::string& value) {
        codec<std::uint64_t>::write(to, value.size());
        to += value;
    }
    static std::string read(std::string_view& from) {
        const auto size = codec<std::uint64_t>::read(from);
        return std::string(take_bytes(from, size));
    }
};

template <class T>
struct codec<std::vector<T>> {
    static void write(std::string& to, const std::vector<T>& value) {
        codec<std::uint64_t>::write(to, value.size());
        for (const T& one : value) codec<T>::write(to, one);
    }
    static std::vector<T> read(std::string_view& from) {
        std::vector<T> value;
        for (auto left = codec<std::uint64_t>::read(from); left > 0; --left)
            value.push_back(codec<T>::read(from));
        return value;
    }
};

template <class... Ts>
requires(!std::is_trivially_copyable_v<std::tuple<Ts...>>) struct codec<std::tuple<Ts...>> {
    static void write(std::string& to, const std::tuple<Ts...>& value) {
        std::apply([&](const Ts&... each) { (codec<Ts>::write(to, each), ...); }, value);
    }
    static std::tuple<Ts...> read(std::string_view& from) {
        return std::tuple<Ts...>{codec<Ts>::read(from)...};
    }
};

}  // namespace crossover::asyncio
