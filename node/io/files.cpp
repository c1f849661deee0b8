#include "node/io/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace linnet::io {
namespace {

namespace fs = std::filesystem;

std::string octal(unsigned mode) {
  char out[8];
  std::snprintf(out, sizeof out, "%04o", mode);
  return out;
}

Done check_private(const fs::path& path, const struct stat& s, const char* wanted) {
  if (s.st_uid != geteuid()) return trouble(path.string() + " belongs to another user. Refusing to start.");
  if ((s.st_mode & 077) != 0)
    return trouble(path.string() + " is open to other users (mode " + octal(s.st_mode & 07777) +
                   "). Refusing to start.\n  Close it: chmod " + wanted + " " + path.string());
  return {};
}

bool write_all(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

void sync_folder(const fs::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

std::string os_error() { return std::strerror(errno); }

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

void keep_standard_descriptors() {
  int fd = -1;
  do fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) ::close(fd);
}

bool file_exists(const fs::path& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

Outcome<std::optional<Bytes>> read_file(const fs::path& path, std::size_t max) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    if (errno == ENOENT && file_exists(path))
      return trouble(path.string() + " is a link to a file that does not exist.");
    if (errno == ENOENT) return std::optional<Bytes>();
    return trouble("Cannot read " + path.string() + ": " + os_error() + ".");
  }
  struct stat s {};
  if (::fstat(fd.get(), &s) != 0 || !S_ISREG(s.st_mode)) return trouble(path.string() + " is not a file.");
  Bytes out;
  std::uint8_t chunk[16384];
  while (true) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return trouble("Cannot read " + path.string() + ": " + os_error() + ".");
    if (n == 0) break;
    append(out, ByteView(chunk, static_cast<std::size_t>(n)));
    if (out.size() > max) return trouble(path.string() + " is larger than " + std::to_string(max) + " bytes.");
  }
  return std::optional<Bytes>(std::move(out));
}

Done write_file(const fs::path& path, ByteView bytes, unsigned mode, Replace replace) {
  std::string temporary = path.string() + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return trouble("Cannot write beside " + path.string() + ": " + os_error() + ".");
  const bool written = ::fchmod(fd.get(), mode) == 0 && write_all(fd.get(), bytes) && ::fsync(fd.get()) == 0;
  bool placed = false;
  if (written && replace == Replace::yes) placed = ::rename(temporary.c_str(), path.c_str()) == 0;
  if (written && replace == Replace::no) placed = ::link(temporary.c_str(), path.c_str()) == 0;
  const std::string why = os_error();
  if (!placed || replace == Replace::no) ::unlink(temporary.c_str());
  if (!placed) return trouble("Cannot write " + path.string() + ": " + why + ".");
  sync_folder(path.parent_path());
  return {};
}

std::string absolute(const std::string& path) {
  std::error_code failed;
  const auto out = fs::absolute(path, failed);
  return failed ? path : out.string();
}

// Those that are missing above it, closed like itself (XDG 0.8): what stood before is not ours to change.
static void make_parents(const fs::path& path) {
  const auto parent = path.parent_path();
  if (parent.empty() || parent == path || file_exists(parent)) return;
  make_parents(parent);
  (void)::mkdir(parent.c_str(), 0700);
}

Done make_private_folder(const fs::path& path) {
  make_parents(path);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return trouble("Cannot make " + path.string() + ": " + os_error() + ".");
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return trouble("Cannot read " + path.string() + ": " + os_error() + ".");
  if (!S_ISDIR(s.st_mode)) return trouble(path.string() + " is not a folder.");
  return check_private(path, s, "700");
}

Done check_private_file(const fs::path& path) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) != 0) {
    if (errno == ENOENT) return {};
    return trouble("Cannot read " + path.string() + ": " + os_error() + ".");
  }
  if (!S_ISREG(s.st_mode)) return trouble(path.string() + " is not a file.");
  return check_private(path, s, "600");
}

}  // namespace linnet::io
