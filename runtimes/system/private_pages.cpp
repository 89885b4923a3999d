// Private pages by mmap.
#include "runtimes/system/private_pages.hpp"

#include <sys/mman.h>

#include <cerrno>

#include "runtimes/system/limits/limits.hpp"

namespace crossover {

private_pages::private_pages(std::size_t bytes, const char* use) : bytes_(bytes) {
    void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (at == MAP_FAILED) refuse_worker(errno, use);
    base_ = static_cast<std::byte*>(at);
}

private_pages::~private_pages() {
    if (base_) ::munmap(base_, bytes_);
}

}  // namespace crossover
