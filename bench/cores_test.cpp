// Quotas of both versions of cgroups, as they stand in the files.
#include "bench/cores.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

namespace crossover::bench {
namespace {

namespace fs = std::filesystem;

class quota_test : public testing::Test {
  protected:
    fs::path root = [] {
        std::string name = fs::temp_directory_path() / "quota_XXXXXX";
        return fs::path(::mkdtemp(name.data()));
    }();
    ~quota_test() override { fs::remove_all(root); }

    void write(const fs::path& file, const std::string& text) {
        fs::create_directories((root / file).parent_path());
        std::ofstream(root / file) << text;
    }
    std::size_t cores() const { return cores_of_quota(root / "proc", root / "cgroup"); }
};

TEST_F(quota_test, without_cgroups_there_is_none) { EXPECT_EQ(cores(), no_quota); }

TEST_F(quota_test, version_2_rounds_up) {
    write("proc/cgroup", "0::/a/b\n");
    write("cgroup/a/b/cpu.max", "150000 100000\n");
    EXPECT_EQ(cores(), 2U);
}

TEST_F(quota_test, version_2_max_is_none) {
    write("proc/cgroup", "0::/a\n");
    write("cgroup/a/cpu.max", "max 100000\n");
    EXPECT_EQ(cores(), no_quota);
}

TEST_F(quota_test, a_group_around_may_allow_less) {
    write("proc/cgroup", "0::/a/b\n");
    write("cgroup/a/b/cpu.max", "800000 100000\n");
    write("cgroup/a/cpu.max", "300000 100000\n");
    EXPECT_EQ(cores(), 3U);
}

TEST_F(quota_test, in_a_container_the_group_lies_at_the_root) {
    write("proc/cgroup", "0::/docker/0123\n");
    write("cgroup/cpu.max", "50000 100000\n");
    EXPECT_EQ(cores(), 1U);
}

TEST_F(quota_test, version_1_is_read_from_the_folder_of_the_controller) {
    write("proc/cgroup", "9:cpuset:/x\n3:cpu,cpuacct:/a\n0::/\n");
    write("cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "400000\n");
    write("cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(cores(), 4U);
}

TEST_F(quota_test, version_1_minus_one_is_none) {
    write("proc/cgroup", "1:cpu:/\n");
    write("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(cores(), no_quota);
}

TEST(cores, at_least_one_is_allowed_and_the_process_can_be_kept_to_one) {
    EXPECT_GE(cores_allowed(), 1U);
    keep_to(1);
    EXPECT_EQ(cores_allowed(), 1U);
    keep_to(64);
    EXPECT_EQ(cores_allowed(), 1U);
}

}  // namespace
}  // namespace crossover::bench
