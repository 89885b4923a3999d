// System calls that a filter around this process, as containers have one, or an older kernel does not give.
#pragma once

#include <cerrno>

namespace crossover {

// For calls that need no permission: then these errors have no other cause.
constexpr bool is_withheld(int error) { return error == ENOSYS || error == EPERM || error == EACCES; }

}  // namespace crossover
