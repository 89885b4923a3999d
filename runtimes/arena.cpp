// The arena's mapping: anonymous, shared, without a reservation of swap.
#include "runtimes/arena.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "runtimes/errors.hpp"

namespace crossover {

namespace {
constexpr std::size_t page = 4096;
// Below this much it is cheaper to keep the pages for the next batch than to fault them in again.
constexpr std::size_t worth_giving_back = std::size_t{4} << 20;
}  // namespace

arena::arena(std::size_t bytes) : bytes_(bytes) {
    void* at =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        throw refused("cannot reserve " + std::to_string(bytes >> 20) + " MiB of address space (" +
                      std::strerror(errno) + "): raise 'ulimit -v' or vm.overcommit_memory");
    base_ = static_cast<std::byte*>(at);
}

arena::~arena() { ::munmap(base_, bytes_); }

void* arena::allocate(std::size_t bytes, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (start > bytes_ || bytes > bytes_ - start)
        throw refused("the arena of " + std::to_string(bytes_ >> 20) +
                      " MiB is full: choose a smaller size of the workload");
    used_ = start + bytes;
    return base_ + start;
}

void arena::release(std::size_t mark) {
    std::size_t from = (mark + page - 1) / page * page;
    if (used_ > from && used_ - from >= worth_giving_back) ::madvise(base_ + from, used_ - from, MADV_REMOVE);
    used_ = mark;
}

}  // namespace crossover
