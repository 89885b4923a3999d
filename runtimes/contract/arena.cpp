// The arena's mapping: anonymous, shared, without a reservation of swap.
#include "runtimes/contract/arena.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "runtimes/system/errors.hpp"
#include "runtimes/system/processor.hpp"

namespace crossover {

namespace {
// Below this much it is cheaper to keep the pages for the next batch than to fault them in again.
constexpr std::size_t worth_giving_back = std::size_t{4} << 20;

std::size_t first_page_from(std::size_t mark) {
    return (mark + page_bytes() - 1) / page_bytes() * page_bytes();
}

void* map(void* where, std::size_t bytes, int how) {
    void* at = ::mmap(where, bytes, PROT_READ | PROT_WRITE, how | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        throw refused("cannot reserve " + std::to_string(bytes >> 20) + " MiB of address space (" +
                      std::strerror(errno) + "): raise 'ulimit -v' or vm.overcommit_memory");
    return at;
}

}  // namespace

arena::arena(std::size_t bytes)
    : base_(static_cast<std::byte*>(map(nullptr, bytes, MAP_SHARED))), bytes_(bytes) {}

arena::~arena() { ::munmap(base_, bytes_); }

void* arena::allocate(std::size_t bytes, std::size_t alignment) {
    std::size_t start = (used_ + alignment - 1) / alignment * alignment;
    if (start > bytes_ || bytes > bytes_ - start)
        throw refused("the arena of " + std::to_string(bytes_ >> 20) +
                      " MiB is full: choose a smaller size of the workload");
    used_ = start + bytes;
    return base_ + start;
}

void arena::part_from(std::size_t mark) {
    const std::size_t from = first_page_from(mark);
    map(base_ + from, bytes_ - from, MAP_PRIVATE | MAP_FIXED);
}

void arena::release(std::size_t mark) {
    const std::size_t from = first_page_from(mark);
    if (used_ > from && used_ - from >= worth_giving_back) ::madvise(base_ + from, used_ - from, MADV_REMOVE);
    used_ = mark;
}

}  // namespace crossover
