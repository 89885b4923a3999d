// The quotas of cgroup_trees.json, which tests/driver/test_cores.py reads as well: the driver and a bench
// count alike.
#include "bench/cores.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace crossover::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class quota_test : public testing::Test {
  protected:
    fs::path root = [] {
        std::string name = fs::temp_directory_path() / "quota_XXXXXX";
        return fs::path(::mkdtemp(name.data()));
    }();
    ~quota_test() override { fs::remove_all(root); }

    // Lays out what /proc/self and /sys/fs/cgroup hold. A folder in the place of a file cannot be read, even
    // by root.
    void grow(const json& tree) {
        fs::remove_all(root);
        fs::create_directories(root);
        for (const auto& [name, text] : tree["files"].items()) {
            fs::create_directories((root / name).parent_path());
            std::ofstream(root / name) << text.get<std::string>();
        }
        for (const json& name : tree.value("unreadable", json::array()))
            fs::create_directories(root / name.get<std::string>());
    }
};

TEST_F(quota_test, every_tree_has_the_cores_that_stand_beside_it) {
    const json trees = json::parse(std::ifstream(CGROUP_TREES));
    ASSERT_GT(trees.size(), 0U);
    for (const auto& [name, tree] : trees.items()) {
        SCOPED_TRACE(name);
        grow(tree);
        const json& cores = tree["cores"];
        EXPECT_EQ(cores_of_quota(root / "proc", root / "cgroup"),
                  cores.is_null() ? no_quota : cores.get<std::size_t>());
    }
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
