// What the library throws, and how to tell one stored exception from another without throwing it again.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

namespace crossover::asyncio {

// Thrown at the await of a task that was cancelled, and by the result of a task or future that ended so.
// Catch it to clean up, then let it go on.
class cancelled_error final : public std::exception {
  public:
    cancelled_error() = default;
    explicit cancelled_error(std::string message) : message_(std::move(message)) {}

    const char* what() const noexcept override { return message_.empty() ? "cancelled" : message_.c_str(); }
    const std::string& message() const noexcept { return message_; }  // as given to cancel(), else empty

  private:
    std::string message_;
};

// The result of something that has none yet, or a second result for something that has one.
class invalid_state_error : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

class timeout_error : public std::runtime_error {
  public:
    timeout_error() : std::runtime_error("timed out") {}
    using std::runtime_error::runtime_error;
};

// Base of the exceptions that leave the loop at once, from whatever task or callback they come
// (KeyboardInterrupt, SystemExit).
class loop_exit : public std::exception {
  public:
    const char* what() const noexcept override { return "loop exit"; }
};

// The type of what an exception_ptr holds; libstdc++ and libc++abi keep it beside the object, so that no
// throw is needed.
inline const std::type_info* type_of(const std::exception_ptr& e) noexcept {
    return e ? e.__cxa_exception_type() : nullptr;
}

inline bool is_cancelled_error(const std::exception_ptr& e) noexcept {
    const std::type_info* const type = type_of(e);
    return type && *type == typeid(cancelled_error);
}

inline bool is_loop_exit(const std::exception_ptr& e) noexcept {
    const std::type_info* const type = type_of(e);
    void* ignored = nullptr;
    return type && typeid(loop_exit).__do_catch(type, &ignored, 1);
}

}  // namespace crossover::asyncio
