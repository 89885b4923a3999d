// The limits of cgroups, as they stand in the files.
#include "runtimes/cgroup.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>

namespace crossover {
namespace {

namespace fs = std::filesystem;

class cgroup_test : public testing::Test {
  protected:
    fs::path root = [] {
        std::string name = fs::temp_directory_path() / "cgroup_XXXXXX";
        return fs::path(::mkdtemp(name.data()));
    }();
    ~cgroup_test() override { fs::remove_all(root); }

    void write(const fs::path& file, const std::string& text) {
        fs::create_directories((root / file).parent_path());
        std::ofstream(root / file) << text;
    }
    std::size_t memory() const {
        return least_in_cgroups("memory", {"memory.max", "memory.limit_in_bytes"}, root / "proc",
                                root / "cgroup");
    }
};

TEST_F(cgroup_test, without_cgroups_nothing_is_limited) { EXPECT_EQ(memory(), unlimited); }

TEST_F(cgroup_test, a_group_around_may_allow_less) {
    write("proc/cgroup", "0::/a/b\n");
    write("cgroup/a/b/memory.max", "8000\n");
    write("cgroup/a/memory.max", "3000\n");
    EXPECT_EQ(memory(), 3000U);
}

TEST_F(cgroup_test, max_limits_nothing) {
    write("proc/cgroup", "0::/a\n");
    write("cgroup/a/memory.max", "max\n");
    EXPECT_EQ(memory(), unlimited);
}

TEST_F(cgroup_test, in_a_container_the_group_lies_at_the_root) {
    write("proc/cgroup", "0::/docker/0123\n");
    write("cgroup/memory.max", "5000\n");
    EXPECT_EQ(memory(), 5000U);
}

TEST_F(cgroup_test, version_1_is_read_from_the_folder_of_the_controller) {
    write("proc/cgroup", "9:cpuset:/x\n8:pids:/a\n4:memory:/a/b\n0::/\n");
    write("cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    write("cgroup/memory/a/memory.limit_in_bytes", "4000\n");
    write("cgroup/pids/a/pids.max", "77\n");
    EXPECT_EQ(memory(), 4000U);
    EXPECT_EQ(least_in_cgroups("pids", {"pids.max"}, root / "proc", root / "cgroup"), 77U);
}

}  // namespace
}  // namespace crossover
