#include "node/io/settings/home.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdlib>

namespace linnet::io {
namespace {

namespace fs = std::filesystem;

fs::path folder_from(const char* variable, const fs::path& otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? fs::path(value)
                                             : otherwise;  // relative ones are to be ignored (XDG 0.8)
}

}  // namespace

Outcome<Home> find_home(const std::string& folder) {
  if (!folder.empty()) {
    std::error_code failed;
    const fs::path absolute = fs::absolute(folder, failed);
    if (failed) return trouble("Cannot use " + folder + ": " + failed.message() + ".");
    return Home{absolute, absolute, absolute, {absolute / "config.toml"}};
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/')
    return trouble("HOME is not set. Give a folder: linnet --home DIR", Exit::usage);
  const fs::path h(home);
  Home out;
  out.data = folder_from("XDG_DATA_HOME", h / ".local/share") / "linnet";
  out.state = folder_from("XDG_STATE_HOME", h / ".local/state") / "linnet";
  const fs::path runtime = folder_from("XDG_RUNTIME_DIR", {});
  out.runtime = runtime.empty() ? h / ".linnet/run" : runtime / "linnet";
  out.configs = {"/etc/linnet/config.toml", folder_from("XDG_CONFIG_HOME", h / ".config") / "linnet/config.toml"};
  return out;
}

Done make_home(const Home& home) {
  for (const auto* folder : {&home.data, &home.runtime, &home.state})
    if (auto made = make_private_folder(*folder); !made) return made;
  return {};
}

Outcome<std::optional<HomeLock>> HomeLock::take(const Home& home) {
  Fd fd(::open(home.data.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return trouble("Cannot open " + home.data.string() + ": " + os_error() + ".");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<HomeLock>();
    return trouble("Cannot lock " + home.data.string() + ": " + os_error() + ".");
  }
  return std::optional<HomeLock>(HomeLock(std::move(fd)));
}

}  // namespace linnet::io
