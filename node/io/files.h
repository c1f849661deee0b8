// Files as whole values: read with a bound, written so that a crash leaves the old one or the new one.
#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.h"
#include "node/io/trouble.h"

namespace linnet::io {

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int out = fd_;
    fd_ = -1;
    return out;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// A program may be started without stdin, stdout or stderr: their numbers must not fall to a socket.
void keep_standard_descriptors();

bool file_exists(const std::filesystem::path& path);

// Nothing when the file does not exist; trouble when it cannot be read or is larger than `max`.
Outcome<std::optional<Bytes>> read_file(const std::filesystem::path& path, std::size_t max);

enum class Replace : bool { no, yes };
// Written beside it, synced, then put in place by one rename (or link, when it must not exist yet), and the folder
// synced.
Done write_file(const std::filesystem::path& path, ByteView bytes, unsigned mode, Replace replace);

// As it is when there is no folder to start from: the one we stand in may be gone.
std::string absolute(const std::string& path);

// Makes a folder and its parents; the last one gets 0700. An existing one must belong to us and be closed to others.
Done make_private_folder(const std::filesystem::path& path);
// A file that must be ours and closed to others. One that does not exist is fine.
Done check_private_file(const std::filesystem::path& path);

}  // namespace linnet::io
