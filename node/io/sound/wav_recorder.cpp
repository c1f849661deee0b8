#include "node/io/sound/wav_recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "media/codec_kind.h"

namespace linnet::io {
namespace {

constexpr std::size_t kHeader = 44;
constexpr std::size_t kFlushBytes = media::kRate * 2;  // one second

void put(Bytes& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// RIFF WAVE, format 1 (PCM); little-endian.
Bytes header(std::uint32_t data) {
  Bytes out;
  append(out, view("RIFF"));
  put(out, data + kHeader - 8, 4);
  append(out, view("WAVEfmt "));
  put(out, 16, 4);
  put(out, 1, 2);  // PCM
  put(out, 1, 2);  // channels
  put(out, media::kRate, 4);
  put(out, media::kRate * 2, 4);  // bytes a second
  put(out, 2, 2);                 // bytes a frame
  put(out, 16, 2);                // bits a sample
  append(out, view("data"));
  put(out, data, 4);
  return out;
}

bool write_at(int fd, ByteView bytes, off_t at) {
  return ::pwrite(fd, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

Outcome<WavRecorder> WavRecorder::create(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return trouble("Cannot write " + path.string() + ": " + os_error() + ".");
  if (!write_at(fd.get(), header(0), 0)) return trouble("Cannot write " + path.string() + ": " + os_error() + ".");
  return WavRecorder(std::move(fd));
}

WavRecorder::~WavRecorder() {
  if (fd_) flush();
}

void WavRecorder::write(std::span<const std::int16_t> samples) {
  for (const auto sample : samples) put(waiting_, static_cast<std::uint16_t>(sample), 2);
  if (waiting_.size() >= kFlushBytes) flush();
}

void WavRecorder::flush() {
  const std::size_t room = kMaxData - written_;
  const ByteView take = ByteView(waiting_).first(std::min(waiting_.size(), room));
  // A full disk ends the recording, not the call.
  if (!take.empty() && write_at(fd_.get(), take, static_cast<off_t>(kHeader + written_))) {
    written_ += static_cast<std::uint32_t>(take.size());
    write_at(fd_.get(), header(written_), 0);
  }
  waiting_.clear();
}

Done check_can_record(const std::filesystem::path& path) {
  if (path.empty()) return {};
  const auto cannot = [&](const std::string& why) {
    return trouble("Cannot write " + path.string() + ": " + why + ".");
  };
  struct stat s {};
  if (::stat(path.c_str(), &s) == 0) {
    if (S_ISDIR(s.st_mode)) return cannot("it is a folder");
    if (::access(path.c_str(), W_OK) != 0) return cannot(os_error());
    return {};
  }
  if (errno != ENOENT) return cannot(os_error());
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return cannot(os_error());
  return {};
}

std::string RecordingNames::next(const std::string& path) {
  if (used_.size() > 1024) used_.clear();
  const unsigned n = ++used_[path];
  if (n == 1) return path;
  const std::filesystem::path p(path);
  return (p.parent_path() / (p.stem().string() + "-" + std::to_string(n) + p.extension().string())).string();
}

}  // namespace linnet::io
