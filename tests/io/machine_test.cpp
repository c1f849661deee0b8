// Which CPU time a program may use: of its control groups, in the files of both versions.
#include "node/io/machine.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

class Machine : public testing::Test {
 protected:
  void SetUp() override { has("proc/stat", "cpu  0 0 0 1000 0 0 0 0 0 0\n"); }
  void has(const std::string& file, const std::string& text) {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  double idle_cores() { return MachineWatch(root_.path()).look().idle_cores; }

  HomeFolder root_;
};

TEST_F(Machine, IsLimitedByTheQuotaOfCgroupV2) {
  has("proc/self/cgroup", "0::/user/linnet\n");
  has("sys/fs/cgroup/user/linnet/cpu.max", "25000 100000\n");
  EXPECT_DOUBLE_EQ(idle_cores(), 0.25);
}

TEST_F(Machine, IsLimitedByTheQuotaOfCgroupV1) {
  has("proc/self/cgroup", "4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n");
  has("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "4000\n");
  has("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "20000\n");
  EXPECT_DOUBLE_EQ(idle_cores(), 0.2);
}

TEST_F(Machine, IsLimitedByAGroupAroundItsOwn) {
  has("proc/self/cgroup", "0::/slice/service\n");
  has("sys/fs/cgroup/slice/service/cpu.max", "max 100000\n");
  has("sys/fs/cgroup/slice/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(idle_cores(), 0.5);
}

TEST_F(Machine, IsLimitedByItsContainer) {
  has("proc/self/cgroup", "1:cpu:/docker/abc\n");
  has("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "30000\n");
  has("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(idle_cores(), 0.3);
}

TEST_F(Machine, HasAllItsCoresWithoutAQuota) {
  has("proc/self/cgroup", "1:cpu:/box\n0::/\n");
  has("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1\n");
  has("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_GE(idle_cores(), 1);
}

// A mixer is worth what it has, not what it leaves idle beside its own work.
TEST_F(Machine, SparesWhatIsIdleAndWhatThisProgramUsesItself) {
  has("proc/self/cgroup", "0::/\n");
  has("sys/fs/cgroup/cpu.max", "100000 100000\n");
  has("proc/self/stat", "7 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 30 10 0 0 20 0 1 0 5\n");
  MachineWatch watch(root_.path());
  (void)watch.spare_cores();
  has("proc/stat", "cpu  70 0 0 1030 0 0 0 0 0 0\n");
  has("proc/self/stat", "7 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 60 20 0 0 20 0 1 0 5\n");
  EXPECT_DOUBLE_EQ(watch.spare_cores(), 0.7);
}

TEST_F(Machine, CountsWhatANiceProgramUsesOnce) {
  has("proc/self/cgroup", "0::/\n");
  has("sys/fs/cgroup/cpu.max", "100000 100000\n");
  has("proc/self/stat", "7 (x) S 1 1 1 0 -1 0 0 0 0 0 30 10 0 0 25 5 1 0 5\n");
  MachineWatch watch(root_.path());
  (void)watch.spare_cores();
  has("proc/stat", "cpu  50 40 0 1010 0 0 0 0 0 0\n");
  has("proc/self/stat", "7 (x) S 1 1 1 0 -1 0 0 0 0 0 70 10 0 0 25 5 1 0 5\n");
  EXPECT_DOUBLE_EQ(watch.spare_cores(), 0.5);
}

}  // namespace
}  // namespace linnet::io
