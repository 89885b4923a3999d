// exception_group: several failures thrown as one.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace crossover::asyncio {

class exception_group : public std::exception {
  public:
    exception_group(const std::string& message, std::vector<std::exception_ptr> exceptions)
        : message_(message), exceptions_(std::move(exceptions)) {
        text_ = message_ + " (" + std::to_string(exceptions_.size()) +
                (exceptions_.size() == 1 ? " sub-exception)" : " sub-exceptions)");
    }

    const char* what() const noexcept override { return text_.c_str(); }
    const std::string& message() const noexcept { return message_; }
    // In the order in which they happened; at least one.
    const std::vector<std::exception_ptr>& exceptions() const noexcept { return exceptions_; }

  private:
    std::string message_;
    std::string text_;
    std::vector<std::exception_ptr> exceptions_;
};

}  // namespace crossover::asyncio
