// The outcome of a check pass or a sample, in the words of the protocol, and how an exception maps to it.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "runtimes/system/exits.hpp"

namespace crossover::bench {

enum class outcome { ok, unsupported, projected, wrong, crashed, timed_out, failed, unreachable, refused };

// As in the answers of --serve. What the environment refuses cannot be measured here; a server that does not
// answer has failed.
constexpr std::string_view name_of(outcome what) {
    switch (what) {
        case outcome::ok:
            return "ok";
        case outcome::unsupported:
        case outcome::refused:
            return "unsupported";
        case outcome::projected:
            return "projected";
        case outcome::wrong:
            return "wrong";
        case outcome::crashed:
            return "crashed";
        case outcome::timed_out:
            return "timed_out";
        case outcome::failed:
        case outcome::unreachable:
            return "failed";
    }
    return "";
}

struct failure {
    outcome what;
    std::string reason;  // one line
};

// Never throws; an unknown exception is `failed`.
failure failure_of(const std::exception_ptr& error);

}  // namespace crossover::bench
