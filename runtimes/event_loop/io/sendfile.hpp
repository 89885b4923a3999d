// sock_sendfile: sends a file without copying it through the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtimes/event_loop/io/file.hpp"
#include "runtimes/event_loop/io/socket.hpp"

namespace crossover::asyncio {

// The number of bytes sent.
class [[nodiscard]] sendfile_wait : public socket_wait {
  public:
    sendfile_wait(socket& s, const file& from, std::uint64_t offset, std::optional<std::size_t> count,
                  time_point deadline);
    std::size_t await_resume() const {
        finish();
        return sent_;
    }

  private:
    static bool attempt(socket_wait& w);
    int from_;
    std::uint64_t offset_;
    std::optional<std::size_t> left_;
    std::size_t sent_ = 0;
};

// `count` bytes from that offset on, or all up to the end of the file, where it stops in any case. The kernel
// reads the file, for which this thread stands still if it is not in memory. The file must stay open until
// the await ends; a cancelled one may have sent a part. Throws std::invalid_argument for a count of 0.
inline sendfile_wait sock_sendfile(socket& s, const file& from, std::uint64_t offset = 0,
                                   std::optional<std::size_t> count = std::nullopt,
                                   time_point deadline = no_deadline) {
    return sendfile_wait(s, from, offset, count, deadline);
}

}  // namespace crossover::asyncio
