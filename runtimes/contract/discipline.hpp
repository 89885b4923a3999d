// The order in which a semaphore or channel serves its waiters.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace crossover {

enum class discipline {
    fifo,     // who waited longest is next, and nobody overtakes
    barging,  // whoever comes first after a release, which spares the switch to one that waits
};

constexpr std::string_view name_of(discipline d) {
    constexpr std::array<std::string_view, 2> names{"fifo", "barging"};
    return names[static_cast<std::size_t>(d)];
}

}  // namespace crossover
