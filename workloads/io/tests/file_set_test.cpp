// The files that read_files reads: what is in them, and whether they leave the page cache.
#include "workloads/io/file_set.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "runtimes/system/files.hpp"
#include "workloads/contract/workload.hpp"
#include "workloads/servers/http/body_checksum.hpp"
#include "workloads/servers/origin/item_body.hpp"

namespace crossover {
namespace {

std::size_t pages_in_memory(const std::string& path, std::size_t bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    void* const at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
    std::vector<unsigned char> resident((bytes + 4095) / 4096);
    EXPECT_EQ(::mincore(at, bytes, resident.data()), 0);
    ::munmap(at, bytes);
    ::close(fd);
    return static_cast<std::size_t>(std::ranges::count_if(resident, [](unsigned char r) { return r & 1; }));
}

std::uint64_t checksum_of_file(const std::string& path, std::size_t bytes) {
    std::vector<std::byte> room(bytes + 1);
    body_checksum sum;
    sum.add(std::span(room).first(files::read(path.c_str(), room)));
    return sum.value();
}

TEST(file_set, holds_what_the_origin_sends_and_is_written_once) {
    const std::string& folder = folder_of_files(3, 10'000);
    EXPECT_EQ(&folder_of_files(3, 10'000), &folder);
    for (std::uint64_t n = 0; n < 3; ++n)
        EXPECT_EQ(checksum_of_file(folder + '/' + std::to_string(n), 10'000), item_checksum(n, 10'000));
    EXPECT_FALSE(std::filesystem::exists(folder + "/3"));
}

TEST(file_set, is_shared_where_a_folder_for_that_is_named_and_stays_there) {
    std::string shared = (std::filesystem::temp_directory_path() / "crossover-test-XXXXXX").string();
    ASSERT_NE(::mkdtemp(shared.data()), nullptr);
    for (int process = 0; process < 2; ++process) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::setenv("CROSSOVER_FILES", shared.c_str(), 1);
            const bool right = folder_of_files(2, 12'345) == shared + "/2x12345" &&
                               checksum_of_file(shared + "/2x12345/1", 12'345) == item_checksum(1, 12'345);
            std::exit(right ? 0 : 1);  // with the destructors of a process that ends
        }
        int status = 1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
        EXPECT_TRUE(std::filesystem::exists(shared + "/2x12345/1"));
    }
    const auto left = std::distance(std::filesystem::directory_iterator(shared), {});
    EXPECT_EQ(left, 1) << "nothing beside the finished set";
    std::filesystem::remove_all(shared);
}

TEST(file_set, leaves_the_page_cache_on_demand_and_is_the_same_afterwards) {
    const std::string file = folder_of_files(2, 20'000) + "/1";
    EXPECT_EQ(pages_in_memory(file, 20'000), 5U);
    try {
        drop_from_page_cache(folder_of_files(2, 20'000), 2);
    } catch (const not_supported& e) {
        GTEST_SKIP() << e.what();
    }
    EXPECT_EQ(pages_in_memory(file, 20'000), 0U);
    EXPECT_EQ(checksum_of_file(file, 20'000), item_checksum(1, 20'000));
    EXPECT_EQ(pages_in_memory(file, 20'000), 5U);
}

TEST(file_set, that_lies_in_memory_is_not_called_cold) {
    if (::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "there is no /dev/shm here";
    const std::string folder = "/dev/shm/crossover-file-set-" + std::to_string(::getpid());
    std::filesystem::create_directory(folder);
    std::filesystem::copy_file(folder_of_files(3, 10'000) + "/0", folder + "/0");
    EXPECT_THROW(drop_from_page_cache(folder, 1), not_supported);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace crossover
