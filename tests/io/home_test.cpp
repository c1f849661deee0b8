// Where a node keeps its things: --home, the XDG folders, and what stands for them when they are not set.
#include "node/io/settings/home.h"

#include <sys/stat.h>

#include <map>

#include "tests/io/home_folder.h"

namespace linnet::io {
namespace {

// Variables of this process, put back afterwards.
class Variables {
 public:
  explicit Variables(const std::map<std::string, std::string>& wanted) {
    for (const char* name : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
      const char* value = std::getenv(name);
      before_[name] = value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      const auto it = wanted.find(name);
      set(name, it != wanted.end() ? std::optional(it->second) : std::nullopt);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : before_) set(name, value);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  static void set(const std::string& name, const std::optional<std::string>& value) {
    if (value)
      ::setenv(name.c_str(), value->c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> before_;
};

unsigned mode(const std::filesystem::path& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0 ? s.st_mode & 07777u : 0u;
}

TEST(HomeFolders, AreTheOneThatIsGiven) {
  const Variables none({});
  const auto home = find_home("/somewhere/alice");
  ASSERT_TRUE(home);
  EXPECT_EQ(home->identity(), "/somewhere/alice/identity.key");
  EXPECT_EQ(home->store(), "/somewhere/alice/store.db");
  EXPECT_EQ(home->hosts(), "/somewhere/alice/hosts.db");
  EXPECT_EQ(home->control(), "/somewhere/alice/control.sock");
  EXPECT_EQ(home->log(), "/somewhere/alice/linnet.log");
  EXPECT_EQ(home->configs, (std::vector<std::filesystem::path>{"/somewhere/alice/config.toml"}));
}

TEST(HomeFolders, AreThoseOfXdg) {
  const Variables set({{"HOME", "/h"},
                       {"XDG_CONFIG_HOME", "/x/config"},
                       {"XDG_DATA_HOME", "/x/data"},
                       {"XDG_STATE_HOME", "/x/state"},
                       {"XDG_RUNTIME_DIR", "/x/run"}});
  const auto home = find_home("");
  ASSERT_TRUE(home);
  EXPECT_EQ(home->identity(), "/x/data/linnet/identity.key");
  EXPECT_EQ(home->store(), "/x/data/linnet/store.db");
  EXPECT_EQ(home->control(), "/x/run/linnet/control.sock");
  EXPECT_EQ(home->log(), "/x/state/linnet/linnet.log");
  EXPECT_EQ(home->configs,
            (std::vector<std::filesystem::path>{"/etc/linnet/config.toml", "/x/config/linnet/config.toml"}));
}

TEST(HomeFolders, LieBelowHomeWhenXdgSaysNothing) {
  // Empty and relative ones say nothing either.
  for (const auto& value : std::vector<std::optional<std::string>>{std::nullopt, "", "relative/folder"}) {
    std::map<std::string, std::string> wanted{{"HOME", "/h"}};
    for (const char* name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"})
      if (value) wanted[name] = *value;
    const Variables set(wanted);
    const auto home = find_home("");
    ASSERT_TRUE(home);
    EXPECT_EQ(home->identity(), "/h/.local/share/linnet/identity.key");
    EXPECT_EQ(home->control(), "/h/.linnet/run/control.sock");
    EXPECT_EQ(home->log(), "/h/.local/state/linnet/linnet.log");
    EXPECT_EQ(home->config(), "/h/.config/linnet/config.toml");
  }
}

TEST(HomeFolders, WantAHome) {
  const Variables none({});
  const auto home = find_home("");
  ASSERT_FALSE(home);
  EXPECT_EQ(home.error().text, "HOME is not set. Give a folder: linnet --home DIR");
  EXPECT_EQ(home.error().exit, Exit::usage);
}

// Whatever the mask is; what stands above them already is left as it is.
TEST(HomeFolders, AreMadeClosedWithAllThatIsMissingAboveThem) {
  const HomeFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  const Variables set({{"HOME", folder.path().string()}});
  const auto before = ::umask(0);
  const auto home = find_home("");
  ASSERT_TRUE(home);
  const auto made = make_home(*home);
  ::umask(before);
  ASSERT_TRUE(made) << made.error().text;
  for (const char* name : {".local", ".local/share", ".local/share/linnet", ".local/state", ".local/state/linnet",
                           ".linnet", ".linnet/run"})
    EXPECT_EQ(mode(folder / name), 0700u) << name;
  EXPECT_EQ(mode(folder.path()), 0755u);
  EXPECT_TRUE(make_home(*home)) << "and again";
}

TEST(HomeFolders, ThatAreOpenAreRefusedEach) {
  const HomeFolder folder;
  const Variables set({{"HOME", folder.path().string()}, {"XDG_RUNTIME_DIR", (folder / "run").string()}});
  const auto home = find_home("");
  ASSERT_TRUE(home);
  ASSERT_TRUE(make_home(*home));
  for (const auto& open : {home->data, home->state, home->runtime}) {
    ASSERT_EQ(::chmod(open.c_str(), 0750), 0);
    const auto made = make_home(*home);
    ASSERT_FALSE(made) << open;
    EXPECT_EQ(made.error().text, open.string() +
                                     " is open to other users (mode 0750). Refusing to start.\n  Close it: "
                                     "chmod 700 " +
                                     open.string());
    ASSERT_EQ(::chmod(open.c_str(), 0700), 0);
  }
}

TEST(HomeFolders, ThatCannotBeMadeSayWhere) {
  const HomeFolder folder;
  folder.write("file", "in the way");
  const auto made = make_private_folder(folder / "file" / "linnet");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text, "Cannot make " + (folder / "file" / "linnet").string() + ": Not a directory.");
}

}  // namespace
}  // namespace linnet::io
