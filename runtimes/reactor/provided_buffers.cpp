// Buffers that the kernel fills on its own.
#include "runtimes/reactor/provided_buffers.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace crossover {
namespace {

constexpr std::size_t ring_bytes = provided_buffers::count * sizeof(io_uring_buf);

}  // namespace

provided_buffers::~provided_buffers() {
    if (ring_) ::munmap(ring_, ring_bytes);
}

void provided_buffers::lend_to(io_uring& ring) {
    void* const raw = ::mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mapping a buffer ring");
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(raw);
    registration.ring_entries = count;
    registration.bgid = group;
    if (const int failed = ::io_uring_register_buf_ring(&ring, &registration, 0)) {
        ::munmap(raw, ring_bytes);
        throw std::system_error(-failed, std::generic_category(),
                                "io_uring: registering a buffer ring (needs Linux 5.19 or later)");
    }
    ring_ = static_cast<io_uring_buf_ring*>(raw);
    ::io_uring_buf_ring_init(ring_);
    // Left uninitialised: pages that are never received into cost nothing.
    memory_.reset(new std::byte[count * stride]);
    notes_ = std::make_unique<note[]>(count);
    for (unsigned i = 0; i < count; ++i) give_back(static_cast<std::uint16_t>(i));
    free_ = count;
}

void provided_buffers::give_back(std::uint16_t buffer) noexcept {
    ::io_uring_buf_ring_add(ring_, at(buffer), bytes, buffer, ::io_uring_buf_ring_mask(count), 0);
    ::io_uring_buf_ring_advance(ring_, 1);
}

void provided_buffers::push(queue& q, std::uint16_t buffer, std::size_t filled) noexcept {
    notes_[buffer].filled = static_cast<std::uint16_t>(filled);
    if (q.empty())
        q.first = buffer;
    else
        notes_[q.last].next = buffer;
    q.last = buffer;
    ++q.length;
    --free_;
}

void provided_buffers::pop_first(queue& q) noexcept {
    const std::uint16_t buffer = q.first;
    q.first = notes_[buffer].next;
    q.offset = 0;
    --q.length;
    ++free_;
    give_back(buffer);
}

std::size_t provided_buffers::pop(queue& q, std::span<std::byte> to) noexcept {
    std::size_t copied = 0;
    while (!q.empty() && copied < to.size()) {
        const std::size_t left = notes_[q.first].filled - std::size_t{q.offset};
        const std::size_t n = std::min(left, to.size() - copied);
        std::memcpy(to.data() + copied, at(q.first) + q.offset, n);
        copied += n;
        if (n == left)
            pop_first(q);
        else
            q.offset = static_cast<std::uint16_t>(q.offset + n);
    }
    return copied;
}

void provided_buffers::clear(queue& q) noexcept {
    while (!q.empty()) pop_first(q);
}

}  // namespace crossover
