// The reply of an external HTTP server to GET /, fetched once before any model is measured.
#pragma once

#include <cstdint>

namespace crossover {

struct external_reply {
    std::uint64_t status, bytes, checksum;  // the last two of the body, body_checksum
};

}  // namespace crossover
