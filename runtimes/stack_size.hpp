// How much address space a thread of this process reserves for its stack, unless it is told otherwise.
#pragma once

#include <pthread.h>

#include <cstddef>

namespace crossover {

inline std::size_t stack_bytes_of_threads() {
    pthread_attr_t attributes;
    std::size_t bytes = 0;
    if (::pthread_getattr_default_np(&attributes) != 0) return 0;
    ::pthread_attr_getstacksize(&attributes, &bytes);
    ::pthread_attr_destroy(&attributes);
    return bytes;
}

}  // namespace crossover
