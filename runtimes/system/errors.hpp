// The errors that cross the contract. An item's own exception is turned into text, because it may have been
// thrown in another process.
#pragma once

#include <cstddef>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

namespace crossover {

// Thrown by verbs in an item whose batch has been stopped. Items let it pass (after clean-up).
class cancelled : public std::exception {
  public:
    const char* what() const noexcept override { return "cancelled"; }
};

// The deadline of a verb or of a batch has passed.
class timed_out : public std::runtime_error {
  public:
    explicit timed_out(const std::string& text) : std::runtime_error(text) {}
};

// An item ended with an exception: what() is the text of that exception.
class item_error : public std::runtime_error {
  public:
    item_error(std::size_t item, const std::string& text) : std::runtime_error(text), index_(item) {}
    std::size_t index() const { return index_; }

  private:
    std::size_t index_;
};

// The environment refused something to an item: as `refused`, below.
class item_refused : public item_error {
  public:
    using item_error::item_error;
};

// Thrown by a verb of an item: a process that worked for it was killed.
class worker_lost : public std::runtime_error {
  public:
    worker_lost(const std::string& text, int signal_number)
        : std::runtime_error(text), signal_(signal_number) {}
    int signal() const { return signal_; }

  private:
    int signal_;
};

// A worker process died while it held the item, or worked for it.
class worker_died : public item_error {
  public:
    worker_died(std::size_t item, int signal_number)
        : item_error(item, "worker died at item " + std::to_string(item) + ": signal " +
                               std::to_string(signal_number) + " (" + ::strsignal(signal_number) + ")"),
          signal_(signal_number) {}
    int signal() const { return signal_; }

  private:
    int signal_;
};

// The environment refused something (descriptors, memory, threads): what() names the limit and its present
// value.
class refused : public std::runtime_error {
  public:
    explicit refused(const std::string& text) : std::runtime_error(text) {}
};

}  // namespace crossover
