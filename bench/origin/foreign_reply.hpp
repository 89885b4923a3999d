// What an HTTP server that is not our origin answers to GET /, fetched once before any model is measured.
#pragma once

#include <cstdint>

namespace crossover {

struct foreign_reply {
    std::uint64_t status, bytes, checksum;  // the last two of the body, body_checksum
};

}  // namespace crossover
