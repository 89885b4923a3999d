// The limits of cgroup_trees.json, which tests/driver/machine/test_cgroup.py reads as well: a bench and the
// driver see the same.
#include "runtimes/system/limits/cgroup.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace crossover {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class cgroup_test : public testing::Test {
  protected:
    fs::path root = [] {
        std::string name = fs::temp_directory_path() / "cgroup_XXXXXX";
        return fs::path(::mkdtemp(name.data()));
    }();
    ~cgroup_test() override { fs::remove_all(root); }

    // A folder in the place of a file cannot be read, even by root.
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

    json told(const std::vector<cgroup_limit>& limits) const {
        json all = json::array();
        for (const cgroup_limit& l : limits)
            all.push_back({fs::relative(l.file, root).string(), l.limit, l.used});
        return all;
    }
};

TEST_F(cgroup_test, every_tree_has_the_limits_that_stand_beside_it) {
    const json trees = json::parse(std::ifstream(CGROUP_TREES));
    ASSERT_GT(trees.size(), 0U);
    for (const auto& [name, tree] : trees.items()) {
        SCOPED_TRACE(name);
        grow(tree);
        const json cores = tree.value("cores", json());
        EXPECT_EQ(cores_of_quota(root), cores.is_null() ? unlimited : cores.get<std::size_t>());
        EXPECT_EQ(told(memory_limits_of_cgroups(root)), tree.value("memory", json::array()));
        EXPECT_EQ(told(task_limits_of_cgroups(root)), tree.value("tasks", json::array()));
    }
}

}  // namespace
}  // namespace crossover
